"""What the operator decides about Kubernetes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field
from typing_extensions import override

from adapters.kubernetes.bounds import Bounds
from adapters.system.secret_file import Kind, secret_file_problem
from adapters.system.setting_types import HttpUrl, ReadableFile, Seconds, ServerName, Text, Texts
from ports.settings import Problem, SettingsGroup, one_without_other

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NEEDS_URL = ("client_cert_file", "client_key_file", "tls_server_name")
_NOT_WITH_KUBECONFIG = ("ca_file", "token_file", *_NEEDS_URL)


class KubernetesSettings(SettingsGroup):
    """Used when SECRET_STORE is kubernetes. In a pod nothing has to be set."""

    prefix: ClassVar[str] = "KUBERNETES_"

    api_url: HttpUrl | None = Field(
        default=None,
        description="Address of the API server, with a token file or a client certificate. Unset: "
        "as the pod has it, or as the kubeconfig says.",
    )
    ca_file: ReadableFile | None = Field(
        default=None,
        description="CA certificates (PEM) that the API server is checked against. Unset: the "
        "pod's with the pod's address, else the public ones.",
    )
    token_file: Path | None = Field(
        default=None,
        description="File that holds the bearer token. It is read again every 10 seconds and when "
        "the token is refused. Unset: the pod's with the pod's address.",
    )
    client_cert_file: ReadableFile | None = Field(
        default=None, description="Client certificate (PEM) to show instead of a token."
    )
    client_key_file: ReadableFile | None = Field(
        default=None, description="Private key (PEM, not encrypted) of that certificate."
    )
    tls_server_name: ServerName | None = Field(
        default=None,
        description="Name in the API server's certificate, where it is not the address's host.",
    )
    kubeconfig: Text | None = Field(
        default=None,
        description="Kubeconfig files, joined by `:` as in KUBECONFIG, instead of all of these. "
        "Exec plug-ins and proxies in them are refused.",
    )
    context: Text | None = Field(
        default=None, description="Context of the kubeconfig. Unset: its current one."
    )
    service_host: Text | None = Field(
        default=None, description="Set by the kubelet in every pod; leave it alone."
    )
    service_port: Text | None = Field(
        default=None, description="Set by the kubelet in every pod; leave it alone."
    )
    namespace: Text | None = Field(
        default=None,
        description="Namespace read where a policy names none. Unset: that of the pod or of the "
        "kubeconfig's context, else `default`.",
    )
    allowed_namespaces: Texts = Field(
        default=(), description="Namespaces that a policy may choose, beside that one."
    )
    allowed_secrets: Texts = Field(
        default=(),
        description="The only Secrets that may be read: names, or `namespace/name`. Unset: all of "
        "these namespaces. Set it where a Role has `resourceNames`.",
    )
    allowed_impersonations: Texts = Field(
        default=(), description="Users that a policy may have this service impersonate."
    )
    watch: bool = Field(
        default=False,
        description="Watch the Secrets, so that a change ends what is cached within a second. It "
        "needs the verbs `list` and `watch`, which hand out values as `get` does.",
    )
    stale_reads: bool = Field(
        default=False,
        description="While etcd does not answer, read what the API server has in memory: values "
        "of any age, marked as stale in audit and metrics.",
    )
    connect_timeout_seconds: Seconds = Field(
        default=2.0, description="Time to connect, for each try."
    )
    read_timeout_seconds: Seconds = Field(
        default=3.0,
        description="Time to wait for an answer, for each try; an API server without etcd would "
        "take a minute.",
    )
    max_connections: int = Field(
        default=32, ge=2, le=1000, description="Open connections at most, watches not counted."
    )
    max_requests_per_minute: int | None = Field(
        default=None, ge=1, description="Reads sent in any minute at most, by all workers together."
    )

    def bounds(self, namespace: str | None) -> Bounds:
        """Return what requests may choose. `namespace`: the one that comes with the connection, if
        any does.

        Raises:
            ValueError: a name is none; the text says which setting to change.
        """
        return Bounds.of(
            self.namespace or namespace or "default",
            self.allowed_namespaces,
            self.allowed_secrets,
            self.allowed_impersonations,
        )

    @override
    def unusable(self) -> Iterable[Problem]:
        if (advice := secret_file_problem(self.token_file, Kind.TOKEN)) is not None:
            yield Problem("KUBERNETES_TOKEN_FILE", advice)

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        yield from one_without_other(
            given, "client_cert_file", "client_key_file", prefix=cls.prefix
        )
        if "context" in given and "kubeconfig" not in given:
            yield Problem("KUBERNETES_CONTEXT", "is used with KUBERNETES_KUBECONFIG only.")
        if "kubeconfig" in given:
            for name in ("api_url", *_NOT_WITH_KUBECONFIG):
                if name in given:
                    yield Problem(
                        cls.prefix + name.upper(),
                        "and KUBERNETES_KUBECONFIG are both set; keep one of them.",
                    )
        elif "api_url" in given:
            yield from cls._credentials(given)
        elif "service_host" in given:
            for name in _NEEDS_URL:
                if name in given:
                    yield Problem(
                        cls.prefix + name.upper(), "is used with KUBERNETES_API_URL only."
                    )
        else:
            yield Problem(
                "KUBERNETES_API_URL",
                "is not set, and this is no pod: give the API server's address, or a kubeconfig "
                "in KUBERNETES_KUBECONFIG, or choose another SECRET_STORE.",
            )

    @classmethod
    def _credentials(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        shows, tells = "client_cert_file" in given, "token_file" in given
        if shows and tells:
            yield Problem(
                "KUBERNETES_TOKEN_FILE",
                "and KUBERNETES_CLIENT_CERT_FILE are both set, and the API server would look at "
                "the certificate alone; keep one of them.",
            )
        if not (shows or tells):
            yield Problem(
                "KUBERNETES_TOKEN_FILE",
                "is not set: name a file with the token of a service account, or a client "
                "certificate in KUBERNETES_CLIENT_CERT_FILE and KUBERNETES_CLIENT_KEY_FILE.",
            )
