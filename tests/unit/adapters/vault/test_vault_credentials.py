"""What logins present, wrapping tokens opened once, and tokens that the operator gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from adapters.upstream.credentials import FixedText, TextFile
from adapters.vault.login import LoginRequest, app_role, signed_token, tls_certificate
from adapters.vault.wrapped_secret_id import WrappedSecretId
from domain.model.errors import StoreUnavailable, UpstreamError
from tests.fakes.clock import FakeClock
from tests.support.refused import refused
from tests.support.vault_logins import ROOT
from tests.unit.adapters.vault.model_calls import ModelCalls
from tests.unit.adapters.vault.token_rig import Rig

if TYPE_CHECKING:
    from pathlib import Path


CREATED_AT = "auth/approle/role/app/secret-id"


def wrapped(calls: ModelCalls, source: TextFile | FixedText) -> WrappedSecretId:
    return WrappedSecretId(
        source, mount="approle", role="app", namespace="", calls=calls, clock=FakeClock()
    )


async def test_each_method_sends_what_its_server_side_takes() -> None:
    text = FixedText(SecretStr("canary"))
    requests = [
        await app_role("approle", text, text).request(),
        await app_role("team/approle", text, None).request(),
        await signed_token("kubernetes", "app", text).request(),
        await tls_certificate("cert", "svc").request(),
        await tls_certificate("cert", "").request(),
    ]

    assert [(request.path, dict(request.body)) for request in requests] == [
        ("/v1/auth/approle/login", {"role_id": "canary", "secret_id": "canary"}),
        ("/v1/auth/team/approle/login", {"role_id": "canary"}),
        ("/v1/auth/kubernetes/login", {"role": "app", "jwt": "canary"}),
        ("/v1/auth/cert/login", {"name": "svc"}),
        ("/v1/auth/cert/login", {}),
    ]
    assert "canary" not in repr(requests)
    assert len({await request.fingerprint() for request in requests}) == len(requests)
    assert "canary" not in await requests[0].fingerprint()


@pytest.mark.usefixtures("costly_fingerprints")
async def test_a_fingerprint_is_the_same_in_every_replica_and_release() -> None:
    request = LoginRequest("/v1/auth/approle/login", {"role_id": "r", "secret_id": "s"})

    # scrypt with N = 2**14, r = 8 and p = 1, as hashlib computes it.
    assert await request.fingerprint() == "772805a1a348e8aea10307748a8a4596"


async def test_a_wrapping_token_is_opened_once_and_its_secret_id_kept() -> None:
    calls = ModelCalls()
    calls.model.logins.wrapped["s.wrapping"] = (CREATED_AT, "canary-wrapped")
    source = wrapped(calls, FixedText(SecretStr("s.wrapping")))

    assert [(await source.read()).get_secret_value() for _ in range(3)] == ["canary-wrapped"] * 3
    assert [call.path.rpartition("/")[2] for call in calls.made] == ["lookup", "unwrap"]
    assert calls.made[0].headers == {}
    assert not calls.made[1].repeatable


@pytest.mark.parametrize(
    "path",
    [
        "secret/data/app/db",
        "auth/approle/role/other/secret-id",
        "auth/approle/role/app/secret-id/x",
        "auth/approle2/role/app/secret-id",
        "",
    ],
)
async def test_a_wrapping_token_of_another_origin_is_not_opened(path: str) -> None:
    calls = ModelCalls()
    calls.model.logins.wrapped["s.wrapping"] = (path, "canary-wrapped")

    source = wrapped(calls, FixedText(SecretStr("s.wrapping")))
    for _ in range(2):
        with refused(UpstreamError, "wrapping_path_wrong"):
            await source.read()

    assert "s.wrapping" in calls.model.logins.wrapped
    assert len(calls.made) == 1


async def test_a_wrapping_token_that_was_opened_before_raises_the_alarm() -> None:
    calls = ModelCalls()

    with pytest.raises(UpstreamError, match="treat the secret_id as stolen") as refused:
        await wrapped(calls, FixedText(SecretStr("s.wrapping"))).read()

    assert refused.value.reason == "wrapping_token_spent"


async def test_a_lost_answer_to_the_opening_is_not_tried_again() -> None:
    calls = ModelCalls()
    calls.model.logins.wrapped["s.wrapping"] = (CREATED_AT, "canary-wrapped")
    source = wrapped(calls, FixedText(SecretStr("s.wrapping")))
    calls.instead = ["wrapping_lookup", StoreUnavailable("Lost; wait.")]

    with pytest.raises(StoreUnavailable):
        await source.read()
    with refused(UpstreamError, "wrapping_token_spent"):
        await source.read()
    assert len(calls.made) == 2


async def test_another_wrapping_token_in_the_file_is_opened(tmp_path: Path) -> None:
    calls, file = ModelCalls(), tmp_path / "wrapping"
    for number in range(2):
        calls.model.logins.wrapped[f"s.w{number}"] = (f"team/{CREATED_AT}", f"canary-{number}")
    source = wrapped(calls, TextFile(file, "VAULT_WRAPPED_SECRET_ID_FILE", "unreadable"))

    for number in range(2):
        file.write_text(f"s.w{number}", "utf-8")
        assert (await source.read()).get_secret_value() == f"canary-{number}"


async def test_a_server_that_is_down_is_no_alarm() -> None:
    calls = ModelCalls()
    calls.instead = ["sealed_login_approle"]

    with refused(StoreUnavailable, "store_sealed"):
        await wrapped(calls, FixedText(SecretStr("s.wrapping"))).read()


async def test_a_given_token_is_renewed_to_learn_how_long_it_lasts() -> None:
    rig = Rig(given=f" {ROOT}\n")
    rig.logins.lease = 600

    assert await rig.token() == ROOT
    assert rig.tokens.remaining_seconds == pytest.approx(595)
    async with rig.running():
        await rig.advance(401)
    assert rig.logins.renewals == 2


@pytest.mark.parametrize(
    "name",
    [
        "token_renew_root",
        "token_not_renewable_renew",
        "token_batch_renew",
        "token_no_default_policy_renew_self",
    ],
)
async def test_a_given_token_that_cannot_be_renewed_is_used_until_it_is_refused(name: str) -> None:
    rig = Rig(given=ROOT)
    rig.calls.instead = [name]

    assert await rig.token() == ROOT
    rig.clock.advance(86400)
    assert await rig.token() == ROOT
    assert len(rig.calls.made) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [("token_expired_renew", "login_refused"), ("garbage_batch_token", "token_damaged")],
)
async def test_a_given_token_that_does_not_count_is_not_used(name: str, reason: str) -> None:
    rig = Rig(given=ROOT)
    rig.calls.instead = [name]

    with pytest.raises(UpstreamError) as refused:
        await rig.token()

    assert refused.value.reason == reason
    assert ROOT not in refused.value.advice


async def test_a_token_that_may_not_be_renewed_is_told_with_the_policy_to_write(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rig = Rig(given=ROOT)
    rig.calls.instead = ["token_no_default_policy_renew_self"]
    await rig.token()

    log = capsys.readouterr().out
    assert "vault.renewal_denied" in log
    assert 'path "auth/token/renew-self"' in log
    assert ROOT not in log
