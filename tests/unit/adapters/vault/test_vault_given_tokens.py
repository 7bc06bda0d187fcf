"""A token that the operator gives: renewed where the server allows it."""

from __future__ import annotations

import pytest

from domain.model.errors import UpstreamError
from tests.support.vault_logins import ROOT
from tests.unit.adapters.vault.token_rig import Rig


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
