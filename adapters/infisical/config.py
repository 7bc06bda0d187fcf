"""What the operator decides about Infisical."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from adapters.upstream.admission_config import AdmissionConfig
from adapters.upstream.config import UpstreamConfig
from adapters.upstream.lockout import LockoutConfig
from domain.model.errors import InvalidRequest
from domain.model.key_path import parse_folder

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

NAME, CODE = "Infisical", "infisical"


@dataclass(frozen=True, slots=True)
class InfisicalConfig:
    """Where Infisical is, who asks, and what a request may choose.

    Attributes:
        client_id: the machine identity's Universal Auth client id.
        client_secret: one of that identity's client secrets; None if it is in a file.
        client_secret_file: a file that holds it, read for each login.
        project_id: the project read when a policy names none; an id, not a slug.
        base_url: the address of the instance, with or without `/api`, behind a path or not.
        environment: the environment's slug (not its display name) read when a policy names none.
        secret_path: the folder that relative keys stand below when a policy names none.
        allowed_environments: what a policy may choose beside `environment`.
        allowed_projects: what a policy may choose beside `project_id`.
        allowed_paths: the folders that every secret must lie in or below; empty means
            `secret_path` alone.
        ca_file: the only certificate authorities to trust; None means the usual ones.
        connect_timeout_seconds: for reaching the server, at each attempt.
        read_timeout_seconds: for each wait for further bytes, at each attempt.
        unresolved_references: what becomes of a value that still holds `${…}`.
        max_connections: open connections at most; further requests wait. With two or more,
            one is left to the login.
        max_requests_per_minute: reads sent at most, in any minute, by this process; None is no
            limit but the server's own.
        user_agent: sent with every call, such as `wasmcloud-secrets/1.2.3`.
        organization_slug: the sub-organisation to log in to; None for the identity's own.
        lockout: how the server locks the identity after refused logins.
    """

    client_id: SecretStr = field(repr=False)
    client_secret: SecretStr | None = field(repr=False)
    project_id: str
    base_url: str = "https://app.infisical.com"
    environment: str = "prod"
    secret_path: str = "/"  # noqa: S105  a folder
    allowed_environments: tuple[str, ...] = ()
    allowed_projects: tuple[str, ...] = ()
    allowed_paths: tuple[str, ...] = ()
    ca_file: Path | None = None
    connect_timeout_seconds: float = 3.0
    read_timeout_seconds: float = 5.0
    unresolved_references: Literal["error", "allow"] = "error"
    max_connections: int = 20
    max_requests_per_minute: int | None = None
    user_agent: str = "wasmcloud-secrets"
    client_secret_file: Path | None = None
    lockout: LockoutConfig = field(default_factory=LockoutConfig)
    organization_slug: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could not work, with a ValueError that names the setting."""
        _ = self.api_root
        for setting, value in (
            ("INFISICAL_CLIENT_ID", self.client_id.get_secret_value()),
            ("INFISICAL_PROJECT_ID", self.project_id),
            ("INFISICAL_ENVIRONMENT", self.environment),
        ):
            if not value.strip():
                raise ValueError(f"{setting} is empty; set it.")
        given = None if self.client_secret is None else self.client_secret.get_secret_value()
        if not (given or "").strip() and self.client_secret_file is None:
            raise ValueError("INFISICAL_CLIENT_SECRET is empty; set it, or name a file of it.")
        if given is not None and self.client_secret_file is not None:
            raise ValueError("INFISICAL_CLIENT_SECRET is given and in a file; keep one of them.")
        for setting, number in (
            ("INFISICAL_MAX_CONNECTIONS", self.max_connections),
            ("INFISICAL_MAX_REQUESTS_PER_MINUTE", self.max_requests_per_minute),
        ):
            if number is not None and number < 1:
                raise ValueError(f"{setting} must be 1 or more.")
        _read_folder("INFISICAL_SECRET_PATH", self.secret_path)
        for path in self.allowed_paths:
            _read_folder("INFISICAL_ALLOWED_PATHS", path)

    @property
    def api_root(self) -> str:
        """The URL that every route begins with: `…/api`, without a slash at the end."""
        problem = None
        try:
            parts = urlsplit(self.base_url.strip())
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
                problem = "must be a URL such as https://app.infisical.com"
            elif parts.username is not None or parts.password is not None:
                # httpx would send them as an Authorization header, which breaks the login.
                problem = "must not hold a user name or password"
            elif parts.query or parts.fragment:
                problem = "must not have a query or fragment"
        except ValueError:
            problem = "must be a URL such as https://app.infisical.com"
        if problem:
            raise ValueError(f"INFISICAL_BASE_URL {problem}.")
        path = parts.path.rstrip("/").removesuffix("/api").rstrip("/")
        return f"{parts.scheme}://{parts.netloc}{path}/api"

    @property
    def upstream(self) -> UpstreamConfig:
        """How Infisical is reached."""
        return UpstreamConfig(
            name=NAME,
            code=CODE,
            base_url=self.api_root,
            url_setting="INFISICAL_BASE_URL",
            ca_setting="INFISICAL_CA_FILE",
            ca_file=self.ca_file,
            connect_timeout_seconds=self.connect_timeout_seconds,
            read_timeout_seconds=self.read_timeout_seconds,
            max_connections=self.max_connections,
            user_agent=self.user_agent,
        )

    @property
    def admission(self) -> AdmissionConfig:
        """What bounds reads; logins are limited apart."""
        return AdmissionConfig(
            NAME,
            CODE,
            "INFISICAL_MAX_REQUESTS_PER_MINUTE",
            self.upstream.read_connections,
            self.max_requests_per_minute,
        )

    @property
    def base_folders(self) -> tuple[str, ...]:
        """The folders of `secret_path`, outermost first."""
        return _read_folder("INFISICAL_SECRET_PATH", self.secret_path)

    @property
    def allowed_folders(self) -> tuple[tuple[str, ...], ...]:
        """The folders of each allowed path, outermost first; never empty."""
        paths = self.allowed_paths or (self.secret_path,)
        return tuple(_read_folder("INFISICAL_ALLOWED_PATHS", path) for path in paths)


def _read_folder(setting: str, path: str) -> tuple[str, ...]:
    try:
        return parse_folder(path)
    except InvalidRequest:
        problem = f'{setting} must name plain folders such as "/" or "/payments/live".'
    raise ValueError(problem)
