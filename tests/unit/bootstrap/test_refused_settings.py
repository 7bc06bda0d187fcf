"""Values that cannot work are refused, all at once and without being repeated."""

from __future__ import annotations

import pytest

from bootstrap.settings import (
    SettingsError,
)
from tests.support.environments import new_xkey_seed
from tests.unit.bootstrap.settings_rig import CANARY, load, problems


def test_every_problem_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(
        monkeypatch,
        INFISICAL_CLIENT_ID="",
        INFISICAL_PROJECT_ID="  ",
        MAX_IN_FLIGHT="many",
        REQUEST_TIMEOUT_SECONDS="10",
        NATS_USER="service",
        NATS_TLS_FIRST="perhaps",
    )

    assert set(found) == {
        "INFISICAL_CLIENT_ID",
        "INFISICAL_PROJECT_ID",
        "MAX_IN_FLIGHT",
        "REQUEST_TIMEOUT_SECONDS",
        "NATS_PASSWORD",
        "NATS_TLS_FIRST",
    }
    assert found["REQUEST_TIMEOUT_SECONDS"] == "must be below 10."
    assert found["MAX_IN_FLIGHT"] == "must be a whole number."


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("ACCESS_POLICY_FILE", f"/{CANARY}", "names a file that does not exist"),
        ("ADMIN_ADDR", CANARY, 'must be "host:port"'),
        ("ADMIN_ADDR", ":70000", "must end in a port"),
        ("API_VERSION", "v1.alpha", "must be one subject token"),
        ("AUDIT_BUFFER_BYTES", "1", "must be at least 1024"),
        ("AUDIT_FILE_FSYNC", CANARY, "must be 'never', 'batch' or 'always'"),
        ("AUDIT_LOG", CANARY, "must be true or false"),
        ("AUDIT_STREAM", "a.b", "must hold only letters"),
        ("AUDIT_STREAM", "true", "must be the stream's name, such as SECRETS_AUDIT"),
        ("AUDIT_STREAM_MAX_AGE_DAYS", "-1", "must be at least 0"),
        ("AUDIT_STREAM_MAX_BYTES", "0", "must be at least 1"),
        ("AUDIT_STREAM_REPLICAS", "6", "must be at most 5"),
        ("AUDIT_WHEN_FULL", CANARY, "must be 'refuse' or 'drop'"),
        ("AUTHORIZATION_MODE", CANARY, "must be 'enforce' or 'observe'"),
        ("BACKEND_NAME", "a*", "must be one subject token"),
        ("CACHE_MAX_BYTES", "1023", "must be at least 1024"),
        ("CACHE_MAX_ENTRIES", "0", "must be at least 1"),
        ("CACHE_MAX_STALE_SECONDS", "inf", "must be a number"),
        ("CACHE_TTL_SECONDS", "-1", "must be at least 0"),
        ("CLOCK_LEEWAY_SECONDS", "nan", "must be a number"),
        ("CLOCK_LEEWAY_SECONDS", "-1", "must be at least 0"),
        ("HIDE_MISSING_SECRETS", CANARY, "must be 'auto', 'true' or 'false'"),
        ("INFISICAL_BASE_URL", f"ftp://{CANARY}", "must be an address"),
        ("INFISICAL_BASE_URL", f"https://u:{CANARY}@h", "must hold no credentials"),
        ("INFISICAL_BASE_URL", f"https://h:{CANARY}", "must be an address"),
        ("INFISICAL_BASE_URL", f"https://a..{CANARY}:8200", "must be an address"),
        ("INFISICAL_BASE_URL", f"https://{'x' * 64}.{CANARY}", "must be an address"),
        ("INFISICAL_CA_FILE", f"/{CANARY}", "names a file that does not exist"),
        ("INFISICAL_CONNECT_TIMEOUT_SECONDS", "0", "must be more than 0"),
        ("INFISICAL_ENVIRONMENT", " ", "must not be blank"),
        ("INFISICAL_MAX_REQUESTS_PER_MINUTE", "0", "must be at least 1"),
        ("INFISICAL_SECRET_PATH", CANARY, "must be a folder"),
        ("INFISICAL_UNRESOLVED_REFERENCES", CANARY, "must be 'error' or 'allow'"),
        ("LOG_FORMAT", CANARY, "must be 'auto', 'json' or 'console'"),
        ("MAX_REQUEST_BYTES", "1.5", "must be a whole number"),
        ("NATS_CREDENTIALS_FILE", f"/{CANARY}", "names a file that does not exist"),
        ("NATS_CREDENTIALS_FILE", "/", "names what is no regular file"),
        ("NATS_NKEY_SEED", CANARY, "must be a seed (SU…)"),
        ("NATS_SUBJECT_PREFIX", "a..b", "must be subject tokens"),
        ("NATS_URL", f"http://{CANARY}", "entry 1 must be an address"),
        ("NATS_URL", "nats://h:port", "entry 1 must be an address"),
        ("NATS_URL", " , ", "must have at least one entry"),
        ("SECRET_STORE", CANARY, "must be one of those installed: infisical, "),
        ("TRANSPORT", CANARY, "must be one of those installed: nats."),
        ("SERVER_XKEY_RETIRED_SEEDS", CANARY, "entry 1 must be a seed (SX…)"),
        ("SERVER_XKEY_SEED", CANARY, "must be a seed (SX…)"),
        ("TRUSTED_ISSUERS", CANARY, "entry 1 must be an account's public key (A…)"),
    ],
)
def test_a_value_that_cannot_work_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, advice: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **{name: value})

    error = caught.value
    (problem,) = error.problems
    assert problem.setting == name
    assert problem.advice.startswith(advice)
    assert CANARY not in f"{error!s} {error!r} {error.__context__!r} {error.__cause__!r}"


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("ENCRYPTION_XKEY_SEED", CANARY, "must be a seed (SX…)"),
        ("NATS_KV_BUCKET", f"{CANARY}.x", "must hold only letters"),
        ("NATS_KV_HISTORY", "65", "must be at most 64"),
        ("NATS_KV_REPLICAS", "0", "must be at least 1"),
    ],
)
def test_the_settings_of_the_chosen_store_are_checked_and_of_no_other(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, advice: str
) -> None:
    load(monkeypatch, **{name: value})

    found = problems(
        monkeypatch,
        **{"SECRET_STORE": "nats-kv", "ENCRYPTION_XKEY_SEED": new_xkey_seed(), name: value},
    )

    assert found[name].startswith(advice)
