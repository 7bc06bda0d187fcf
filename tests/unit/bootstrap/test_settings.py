"""What operators write, how it is read, and what they are told when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.infisical.settings import InfisicalSettings
from adapters.nats.settings import NatsSettings
from bootstrap.settings import (
    Configuration,
    Settings,
    SettingsError,
    load_configuration,
    load_settings,
)
from tests.support.environments import CLIENT_SECRET, infisical_environment, new_xkey_seed

CANARY = "canary-77aa"


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Configuration:
    for name, value in (infisical_environment() | variables).items():
        monkeypatch.setenv(name, value)
    return load_configuration()


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    return given(monkeypatch, **variables).service


def nats(monkeypatch: pytest.MonkeyPatch, **variables: str) -> NatsSettings:
    settings = given(monkeypatch, **variables).transport.settings
    assert isinstance(settings, NatsSettings)
    return settings


def infisical(monkeypatch: pytest.MonkeyPatch, **variables: str) -> InfisicalSettings:
    settings = given(monkeypatch, **variables).store.settings
    assert isinstance(settings, InfisicalSettings)
    return settings


def problems(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **variables)
    return {problem.setting: problem.advice for problem in caught.value.problems}


def test_the_defaults_are_the_ones_users_know(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)

    assert (settings.backend, settings.secret_store) == ("infisical", "infisical")
    assert nats(monkeypatch).urls == ("nats://localhost:4222",)
    assert nats(monkeypatch).subject_prefix == "wasmcloud.secrets"
    assert nats(monkeypatch).api_version == "v1alpha1"
    assert infisical(monkeypatch).environment == "prod"
    assert (settings.max_request_bytes, settings.max_in_flight) == (16384, 8192)
    assert (settings.request_timeout_seconds, settings.shutdown_grace_seconds) == (8, 10)
    assert (settings.replay_window_seconds, settings.clock_leeway_seconds) == (300, 5)


@pytest.mark.parametrize(
    ("text", "address"), [(":9090", "127.0.0.1:9090"), (" [::1]:9090 ", "[::1]:9090")]
)
def test_the_admin_address_is_read_in_each_of_its_forms(
    monkeypatch: pytest.MonkeyPatch, text: str, address: str
) -> None:
    settings = load(monkeypatch, ADMIN_ADDR=text)

    assert settings.admin_addr == str(settings.admin_address) == address


def test_without_an_admin_address_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).admin_address is None


def test_a_webhooks_key_must_be_long_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "a-key-for-webhooks"

    short = problems(monkeypatch, INFISICAL_WEBHOOK_KEY=CANARY)

    assert "at least 16 characters" in short["INFISICAL_WEBHOOK_KEY"]
    assert CANARY not in str(short)
    settings = infisical(monkeypatch, INFISICAL_WEBHOOK_KEY=key)
    assert settings.webhook_key is not None
    assert key not in repr(settings)


@pytest.mark.parametrize(("port", "fits"), [(65534, True), (65535, False)])
def test_every_worker_needs_a_port(monkeypatch: pytest.MonkeyPatch, port: int, fits: bool) -> None:
    variables = {"ADMIN_ADDR": f":{port}", "WORKERS": "2"}

    if fits:
        assert load(monkeypatch, **variables).workers == 2
    else:
        assert "Choose a lower port" in problems(monkeypatch, **variables)["ADMIN_ADDR, WORKERS"]


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    issuers = [SigningKey.generate(KeyKind.ACCOUNT).public for _ in range(2)]

    lists = {
        "NATS_URL": "nats://a:4222, b ,",
        "TRUSTED_ISSUERS": ",".join(issuers),
        "INFISICAL_ALLOWED_PATHS": "/payments/, /shared",
    }

    assert nats(monkeypatch, **lists).urls == ("nats://a:4222", "nats://b")
    assert list(load(monkeypatch, **lists).trusted_issuers) == issuers
    assert infisical(monkeypatch, **lists).allowed_paths == ("/payments", "/shared")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = {"NATS_URL": "", "NATS_USER": "", "MAX_IN_FLIGHT": "", "TRUSTED_ISSUERS": ""}

    settings = nats(monkeypatch, **empty)

    assert (settings.urls, settings.user) == (("nats://localhost:4222",), None)
    assert load(monkeypatch, **empty).max_in_flight == 8192


def test_choices_are_read_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, LOG_LEVEL="DEBUG").log_level == "debug"


def test_a_dotenv_file_is_read_and_variables_win_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("BACKEND_NAME=from-file\nAPI_VERSION=v2\n")

    found = given(monkeypatch, API_VERSION="v3")

    assert found.service.backend_name == "from-file"
    assert nats(monkeypatch).api_version == "v3"


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
        ("INFISICAL_CA_FILE", f"/{CANARY}", "names a file that does not exist"),
        ("INFISICAL_CONNECT_TIMEOUT_SECONDS", "0", "must be more than 0"),
        ("INFISICAL_ENVIRONMENT", " ", "must not be blank"),
        ("INFISICAL_MAX_REQUESTS_PER_MINUTE", "0", "must be at least 1"),
        ("INFISICAL_SECRET_PATH", CANARY, "must be a folder"),
        ("INFISICAL_UNRESOLVED_REFERENCES", CANARY, "must be 'error' or 'allow'"),
        ("LOG_FORMAT", CANARY, "must be 'auto', 'json' or 'console'"),
        ("MAX_REQUEST_BYTES", "1.5", "must be a whole number"),
        ("NATS_CREDENTIALS_FILE", f"/{CANARY}", "names a file that does not exist"),
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


def test_a_token_may_stand_beside_a_credentials_file(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = nats(monkeypatch, NATS_CREDENTIALS_FILE=__file__, NATS_TOKEN="callout")

    assert settings.token is not None


def test_infisical_settings_are_not_needed_with_another_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_STORE", "nats-kv")
    monkeypatch.setenv("ENCRYPTION_XKEY_SEED", new_xkey_seed())

    assert load_configuration().store.plugin.name == "nats-kv"


def test_one_group_can_be_read_while_another_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_IN_FLIGHT", "many")

    assert load_settings(NatsSettings).urls == ("nats://localhost:4222",)


def test_a_repr_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    seed = new_xkey_seed()

    shown = repr(
        given(
            monkeypatch,
            SERVER_XKEY_SEED=seed,
            SERVER_XKEY_RETIRED_SEEDS=seed,
            NATS_URL=f"nats://u:{CANARY}@h",
        )
    )

    assert CLIENT_SECRET not in shown
    assert seed not in shown
    assert CANARY not in shown


def test_settings_cannot_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)

    with pytest.raises(ValueError, match="frozen"):
        settings.max_in_flight = 1  # type: ignore[misc]  # mypy forbids it, too


def test_a_dotenv_file_that_cannot_be_read_is_reported() -> None:
    Path(".env").write_bytes(b"NATS_URL=\xff\xfe")

    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        load_settings(NatsSettings)
