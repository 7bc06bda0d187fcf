"""Where traces go, with which headers, and what is refused at the start."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import certifi
import pytest

from bootstrap.settings import SettingsError, load_settings
from bootstrap.settings.library_variables import without_variables
from bootstrap.settings.monitoring import TracingSettings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="given")
def _given(monkeypatch: pytest.MonkeyPatch) -> Any:
    def given(**variables: str) -> TracingSettings:
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        return load_settings(TracingSettings)

    return given


def test_without_settings_there_are_no_traces(given: Any) -> None:
    settings = given()

    assert settings.traces_endpoint is None
    assert not settings.traces_secret_names
    assert settings.traces_sample_ratio == 1
    assert settings.read_traces_headers() == {}


@pytest.mark.parametrize(
    "endpoint",
    ["http://localhost:4318/v1/traces", "https://otlp.example.com/otlp/v1/traces/"],
)
def test_an_endpoint_is_taken_as_it_is(given: Any, endpoint: str) -> None:
    assert given(TRACES_ENDPOINT=f" {endpoint} ").traces_endpoint == endpoint


@pytest.mark.parametrize(
    ("endpoint", "advice"),
    [
        ("localhost:4318", "whole address"),
        ("grpc://localhost:4317/v1/traces", "whole address"),
        ("http://localhost:4318", "whole address"),
        ("http://localhost:4318/", "whole address"),
        ("http://localhost:0/v1/traces", "whole address"),
        ("http://[::1/v1/traces", "whole address"),
        ("http://localhost/v1/traces?key=canary", "whole address"),
        ("http://user:canary@localhost/v1/traces", "no credentials"),
    ],
)
def test_an_endpoint_that_cannot_work_is_refused(given: Any, endpoint: str, advice: str) -> None:
    with pytest.raises(SettingsError, match=f"TRACES_ENDPOINT must .*{advice}") as raised:
        given(TRACES_ENDPOINT=endpoint)

    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("ratio", ["-0.1", "1.1", "nan", "half"])
def test_a_share_is_from_none_to_all(given: Any, ratio: str) -> None:
    with pytest.raises(SettingsError, match="TRACES_SAMPLE_RATIO must be"):
        given(TRACES_SAMPLE_RATIO=ratio)


def test_headers_are_hidden_and_read(given: Any) -> None:
    settings = given(TRACES_HEADERS="Authorization=Bearer%20canary")

    assert "canary" not in repr(settings)
    (value,) = settings.read_traces_headers().values()
    assert value.get_secret_value() == "Bearer canary"


def test_headers_are_read_from_a_file(given: Any, tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.write_text("x-token=canary\n", "ascii")

    headers = given(TRACES_HEADERS_FILE=str(file)).read_traces_headers()

    assert headers["x-token"].get_secret_value() == "canary"


@pytest.mark.parametrize("content", [b"canary", b"x-token=\xff", b""])
def test_a_file_without_headers_is_refused_without_being_shown(
    given: Any, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "headers"
    file.write_bytes(content)
    settings = given(TRACES_HEADERS_FILE=str(file))

    with pytest.raises(SettingsError, match="TRACES_HEADERS_FILE") as raised:
        settings.read_traces_headers()

    assert "canary" not in str(raised.value)


def test_headers_that_are_none_are_refused_without_being_shown(given: Any) -> None:
    with pytest.raises(SettingsError, match="TRACES_HEADERS must hold pairs") as raised:
        given(TRACES_HEADERS="canary")

    assert "canary" not in str(raised.value)


def test_headers_are_given_only_once(given: Any) -> None:
    with pytest.raises(SettingsError, match="TRACES_HEADERS, TRACES_HEADERS_FILE are both set"):
        given(TRACES_HEADERS="x-a=1", TRACES_HEADERS_FILE=__file__)


def test_a_ca_file_must_hold_certificates(given: Any) -> None:
    assert given(TRACES_CA_FILE=certifi.where()).traces_ca_file is not None
    with pytest.raises(SettingsError, match="TRACES_CA_FILE must name certificates"):
        given(TRACES_CA_FILE=__file__)


def test_another_s_variables_are_hidden_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "other")

    with without_variables("OTEL_"):
        assert "OTEL_SERVICE_NAME" not in os.environ
        assert "PATH" in os.environ

    assert os.environ["OTEL_SERVICE_NAME"] == "other"
