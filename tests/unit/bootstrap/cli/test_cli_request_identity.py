"""Who `request` asks as, and which combinations of options make no sense."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.token_verifier import WascapTokenVerifier
from bootstrap.cli import app
from bootstrap.cli.as_host import IdentitySource
from bootstrap.cli.reporting import CommandError
from domain.model.identity import IdentityKind
from domain.model.messages import Application
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from domain.model.identity import Claims

ANY_KIND = frozenset(IdentityKind)


def entity(source: IdentitySource) -> Claims:
    context = source.context(Application(), FakeClock())
    host = WascapTokenVerifier().verify(context.host_jwt, ANY_KIND)
    assert host.kind is IdentityKind.HOST
    return WascapTokenVerifier().verify(context.entity_jwt, ANY_KIND)


def seed_file(folder: Path, kind: KeyKind) -> tuple[SigningKey, Path]:
    key = SigningKey.generate(kind)
    path = folder / f"{kind.name}.seed"
    path.write_text(key.seed_text() + "\n")
    return key, path


def test_by_default_a_component_is_made_up() -> None:
    first, second = entity(IdentitySource()), entity(IdentitySource())

    assert first.kind is IdentityKind.COMPONENT
    assert first.subject != second.subject
    assert first.issuer != second.issuer


def test_seeds_choose_the_subject_and_the_issuer(tmp_path: Path) -> None:
    provider, provider_file = seed_file(tmp_path, KeyKind.PROVIDER)
    account, account_file = seed_file(tmp_path, KeyKind.ACCOUNT)

    claims = entity(IdentitySource(entity_seed_file=provider_file, issuer_seed_file=account_file))

    assert (claims.subject, claims.issuer) == (provider.public, account.public)


def test_a_token_from_a_file_is_sent_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("a.b.c\n")

    context = IdentitySource(token_file=path).context(Application(), FakeClock())

    assert context.entity_jwt == "a.b.c"


def test_a_token_and_a_seed_contradict_each_other(tmp_path: Path) -> None:
    source = IdentitySource(token_file=tmp_path, issuer_seed_file=tmp_path)

    with pytest.raises(CommandError, match="not both"):
        source.context(Application(), FakeClock())


def test_seeds_of_the_wrong_kind_are_refused(tmp_path: Path) -> None:
    _, user_file = seed_file(tmp_path, KeyKind.USER)

    with pytest.raises(CommandError, match="component's or provider's"):
        entity(IdentitySource(entity_seed_file=user_file))
    with pytest.raises(InvalidNKeyError, match="account"):
        entity(IdentitySource(issuer_seed_file=user_file))


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        (("--policy", "{}", "--property", "a=b"), "not both"),
        (("--property", "a"), "NAME=VALUE"),
        (("--property", "=b"), "NAME=VALUE"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_before_connecting(
    options: tuple[str, ...], advice: str
) -> None:
    result = CliRunner().invoke(app, ["request", "KEY", *options], catch_exceptions=False)

    assert result.exit_code == 2
    assert advice in result.stderr
