"""Where operators and their tools see how the service is doing: HTTP and traces."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from typing_extensions import override

from adapters.admin_http.address import (
    MAX_PORT,
    AdminAddress,
    AdminAddressError,
    parse_admin_address,
)
from adapters.system.secret_file import SecretFileError, read_secret_text
from adapters.system.setting_types import ReadableFile, SecretText, Texts, strip
from adapters.tracing.headers import parse_headers
from bootstrap.settings.library_variables import holds_certificates
from ports.settings import Problem, SettingsError, SettingsGroup, both_set, says_yes

_MAX_HEADERS_BYTES = 64 * 1024
_EXTRA = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http", "requests")
"""What the extra `otel` installs."""


def _admin_address(text: str) -> str:
    return str(parse_admin_address(text))


class AdminSettings(SettingsGroup):
    """Probes and metrics over HTTP."""

    admin_addr: Annotated[str, BeforeValidator(strip), AfterValidator(_admin_address)] | None = (
        Field(
            default=None,
            description="Address such as `:9090` that answers `/livez`, `/readyz` and `/metrics`; "
            "`:9090` is short for `127.0.0.1:9090`. Unset: no port is opened.",
        )
    )

    admin_exposed: bool = Field(
        default=False,
        description="`true` where others are meant to reach `ADMIN_ADDR` and only they do, as by a "
        "Kubernetes NetworkPolicy: the start then mentions it instead of warning about it.",
    )

    admin_hosts: Texts = Field(
        default=(),
        description="Names, comma-separated, that `ADMIN_ADDR` is asked under, such as a proxy's "
        "or a Kubernetes Service's. Requests that name another host are refused, but for loopback "
        "names and the IP address they came in at.",
    )

    admin_console: bool = Field(
        default=False,
        description="`true`: `ADMIN_ADDR` also answers `/console`, pages for a browser on this "
        "machine, as [console.md](console.md) shows them. They need no login, and answer no other "
        "machine.",
    )

    @property
    def admin_address(self) -> AdminAddress | None:
        """The address, read."""
        return None if self.admin_addr is None else parse_admin_address(self.admin_addr)

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        if says_yes(given.get("admin_console")) and "admin_addr" not in given:
            yield Problem(
                "ADMIN_CONSOLE",
                "needs ADMIN_ADDR, the address that the console is at; set it, such as :9090.",
            )
        try:
            port = parse_admin_address(str(given["admin_addr"])).port
            workers = int(given["workers"])
        except (KeyError, AdminAddressError, ValueError):
            return
        if workers > 1 and port + workers - 1 > MAX_PORT:
            yield Problem(
                "ADMIN_ADDR, WORKERS",
                f"do not fit: each worker listens one port further on, and {MAX_PORT} is the last "
                "one. Choose a lower port.",
            )


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.path in {"", "/"}:
        raise ValueError("must be a whole address such as http://localhost:4318/v1/traces.")
    if "@" in parts.netloc:
        raise ValueError("must hold no credentials; put them into TRACES_HEADERS.")
    return text


def _headers(secret: SecretStr) -> SecretStr:
    parse_headers(secret.get_secret_value())
    return secret


def _certificates(path: Path) -> Path:
    if holds_certificates(path):
        return path
    raise ValueError("must name certificates in PEM form.")


def missing_extra(module: str) -> Problem:
    """Return what to do where a module of the extra is not there."""
    return Problem(
        "TRACES_ENDPOINT",
        f'is set, and {module} is not installed: pip install "wasmcloud-secrets[otel]", or unset '
        "it.",
    )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


class TracingSettings(SettingsGroup):
    """OpenTelemetry, with the extra `otel`."""

    traces_endpoint: Annotated[str, BeforeValidator(strip), AfterValidator(_endpoint)] | None = (
        Field(
            default=None,
            description="Address that takes OpenTelemetry traces (OTLP over HTTP), such as "
            "`http://localhost:4318/v1/traces`; needs the extra `otel`. Unset: no traces.",
        )
    )
    traces_headers: Annotated[SecretText, AfterValidator(_headers)] | None = Field(
        default=None,
        description="Headers sent there, such as `Authorization=Bearer%20…`: comma-separated, "
        "values percent-encoded.",
    )
    traces_headers_file: ReadableFile | None = Field(
        default=None,
        description="File that holds those headers, instead of the headers themselves.",
    )
    traces_ca_file: Annotated[ReadableFile, AfterValidator(_certificates)] | None = Field(
        default=None, description="CA certificates (PEM) that this address is checked against."
    )
    traces_sample_ratio: float = Field(
        default=1.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Share of the requests that are traced, from 0 to 1.",
    )
    traces_secret_names: bool = Field(
        default=False,
        description="Name secrets, components and applications in traces. Values, tokens and "
        "policy properties are never in them.",
    )

    def read_traces_headers(self) -> Mapping[str, SecretStr]:
        """Return the headers, from the file if there is one.

        Raises:
            SettingsError: the file cannot be read, or holds something else.
        """
        if self.traces_headers is not None:
            return parse_headers(self.traces_headers.get_secret_value())
        if self.traces_headers_file is None:
            return {}
        try:
            return parse_headers(read_secret_text(self.traces_headers_file, _MAX_HEADERS_BYTES))
        except FileNotFoundError:
            advice = "names a file that does not exist; check the path and the mount."
        except SecretFileError as error:
            advice = f"names a file that {error}"
        except ValueError as error:
            advice = str(error)
        raise SettingsError(Problem("TRACES_HEADERS_FILE", advice))

    @override
    def unusable(self) -> Iterable[Problem]:
        if self.traces_endpoint is None:
            return
        missing = [name for name in _EXTRA if not _is_installed(name)]
        if missing:
            yield missing_extra(missing[0])
        try:
            self.read_traces_headers()
        except SettingsError as error:
            yield from error.problems

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        yield from both_set(given, "traces_headers", "traces_headers_file")
