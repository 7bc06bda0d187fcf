"""Settings that contradict each other are refused."""

from __future__ import annotations

import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from tests.support.environments import new_xkey_seed
from tests.unit.bootstrap.settings_rig import load, problems


def test_a_key_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    user = SigningKey.generate(KeyKind.USER)

    found = problems(monkeypatch, SERVER_XKEY_SEED=user.seed_text(), TRUSTED_ISSUERS=user.public)

    assert set(found) == {"SERVER_XKEY_SEED", "TRUSTED_ISSUERS"}


@pytest.mark.parametrize(
    ("variables", "setting"),
    [
        ({"SERVER_XKEY_SEED": "*", "SERVER_XKEY_SEED_FILE": "f"}, "SERVER_XKEY_SEED"),
        (
            {
                "SECRET_STORE": "nats-kv",
                "ENCRYPTION_XKEY_SEED": "*",
                "ENCRYPTION_XKEY_SEED_FILE": "f",
            },
            "ENCRYPTION_XKEY_SEED",
        ),
        ({"NATS_URL": "nats://u:p@h,nats://v:p@h"}, "NATS_URL"),
        ({"NATS_USER": "u"}, "NATS_PASSWORD"),
        ({"NATS_PASSWORD": "p"}, "NATS_USER"),
        ({"NATS_TLS_CERT_FILE": __file__}, "NATS_TLS_KEY_FILE"),
        ({"NATS_TLS_KEY_FILE": __file__}, "NATS_TLS_CERT_FILE"),
        ({"NATS_USER_JWT": "jwt"}, "NATS_USER_JWT"),
        ({"NATS_USER": "u", "NATS_PASSWORD": "p", "NATS_TOKEN": "t"}, "NATS_USER, NATS_TOKEN"),
        ({"NATS_URL": "nats://u:p@h", "NATS_TOKEN": "t"}, "NATS_URL, NATS_TOKEN"),
        (
            {"NATS_CREDENTIALS_FILE": __file__, "NATS_NKEY_SEED_FILE": __file__},
            "NATS_CREDENTIALS_FILE, NATS_NKEY_SEED",
        ),
        ({"SECRET_STORE": "nats-kv"}, "ENCRYPTION_XKEY_SEED"),
        ({"INFISICAL_CLIENT_SECRET": ""}, "INFISICAL_CLIENT_SECRET"),
        (
            {"INFISICAL_CLIENT_SECRET_FILE": __file__},
            "INFISICAL_CLIENT_SECRET, INFISICAL_CLIENT_SECRET_FILE",
        ),
        (
            {"INFISICAL_CLIENT_SECRET": "", "INFISICAL_CLIENT_SECRET_FILE": "/nowhere"},
            "INFISICAL_CLIENT_SECRET_FILE",
        ),
        (
            {"TRUSTED_ISSUERS": "*A", "ACCESS_POLICY_FILE": __file__},
            "TRUSTED_ISSUERS, ACCESS_POLICY_FILE",
        ),
        ({"REQUIRE_ACCESS_POLICY": "Yes"}, "REQUIRE_ACCESS_POLICY"),
        (
            {
                "REQUIRE_ACCESS_POLICY": "true",
                "TRUSTED_ISSUERS": "*A",
                "AUTHORIZATION_MODE": "Observe",
            },
            "REQUIRE_ACCESS_POLICY, AUTHORIZATION_MODE",
        ),
        ({"AUDIT_LOG": "no"}, "AUDIT_LOG"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], setting: str
) -> None:
    account = SigningKey.generate(KeyKind.ACCOUNT).public
    drawing = {"*": new_xkey_seed(), "*A": account}
    drawn = {name: drawing.get(value, value) for name, value in variables.items()}

    (found,) = problems(monkeypatch, **drawn)

    assert found.startswith(setting)


@pytest.mark.parametrize(
    "variables",
    [
        {"REQUIRE_ACCESS_POLICY": "false"},
        {"REQUIRE_ACCESS_POLICY": "true", "ACCESS_POLICY_FILE": __file__},
        {"REQUIRE_ACCESS_POLICY": "true", "TRUSTED_ISSUERS": "*A"},
        {"INFISICAL_CLIENT_SECRET": "", "INFISICAL_CLIENT_SECRET_FILE": __file__},
        {"AUDIT_LOG": "false", "AUDIT_FILE": "audit.log"},
        {"AUDIT_LOG": "false", "AUDIT_STREAM": "SECRETS_AUDIT"},
    ],
)
def test_settings_that_go_together_are_taken(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    account = SigningKey.generate(KeyKind.ACCOUNT).public

    load(monkeypatch, **{name: account if v == "*A" else v for name, v in variables.items()})


@pytest.mark.parametrize(
    ("variables", "hides"),
    [
        ({}, False),
        ({"ACCESS_POLICY_FILE": __file__}, True),
        ({"ACCESS_POLICY_FILE": __file__, "AUTHORIZATION_MODE": "observe"}, False),
        ({"ACCESS_POLICY_FILE": __file__, "HIDE_MISSING_SECRETS": "False"}, False),
        ({"HIDE_MISSING_SECRETS": "true"}, True),
    ],
)
def test_missing_secrets_are_hidden_by_default_where_a_policy_file_is_enforced(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], hides: bool
) -> None:
    assert load(monkeypatch, **variables).hides_missing_secrets is hides
