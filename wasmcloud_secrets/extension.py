"""Everything that a plug-in imports from the service, in one module.

What is named here stays as `docs/extending.md` promises; every other module may change at any time.
"""

from adapters.system.setting_types import (
    Choice,
    Folder,
    Folders,
    HttpUrl,
    ReadableFile,
    Seconds,
    SecretText,
    Text,
    Texts,
)
from domain.model.errors import (
    CallFailed,
    CallWithheld,
    InvalidRequest,
    PolicyError,
    RateLimited,
    SecretNotFound,
    SecretsError,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from domain.model.key_path import KeyPath, parse_folder, parse_key
from domain.model.reference import SecretLocation, SecretQuery, SecretReference
from domain.model.secret import Secret, SecretValue
from domain.model.selection import Selection
from domain.model.transport import Operation, Reply, Request, Requester
from domain.model.workload import Workload, signed
from ports.clock import Clock
from ports.peer_bus import Answers, PeerBus
from ports.plugin import API_VERSION, PluginError, Sample
from ports.secret_store import SecretStore
from ports.settings import Problem, SettingsError, SettingsGroup, both_set, one_without_other
from ports.store_check import (
    StoreCheck,
    StoreLimitedError,
    StoreMisconfiguredError,
    StoreUnreachableError,
)
from ports.store_plugin import (
    HttpRequest,
    HttpResponse,
    HttpRoute,
    StoreContext,
    StoreParts,
    StorePlugin,
)
from ports.store_shape import StoreShape
from ports.transport import Channel, ChannelError, RequestHandler, Transport
from ports.transport_plugin import (
    PeerMessages,
    TransportContext,
    TransportFailedError,
    TransportParts,
    TransportPlugin,
    TransportRefusedError,
)

__all__ = [
    "API_VERSION",
    "AccountKey",
    "Answers",
    "CallFailed",
    "CallWithheld",
    "Caller",
    "Channel",
    "ChannelError",
    "Choice",
    "Claims",
    "Clock",
    "Folder",
    "Folders",
    "HttpRequest",
    "HttpResponse",
    "HttpRoute",
    "HttpUrl",
    "IdentityKind",
    "InvalidRequest",
    "KeyPath",
    "Operation",
    "PeerBus",
    "PeerMessages",
    "PluginError",
    "PolicyError",
    "Problem",
    "RateLimited",
    "ReadableFile",
    "Reply",
    "Request",
    "RequestHandler",
    "Requester",
    "Sample",
    "Seconds",
    "Secret",
    "SecretLocation",
    "SecretNotFound",
    "SecretQuery",
    "SecretReference",
    "SecretStore",
    "SecretText",
    "SecretValue",
    "SecretsError",
    "Selection",
    "SettingsError",
    "SettingsGroup",
    "StoreCheck",
    "StoreContext",
    "StoreLimitedError",
    "StoreMisconfiguredError",
    "StoreParts",
    "StorePlugin",
    "StoreShape",
    "StoreUnavailable",
    "StoreUnreachableError",
    "SubjectKey",
    "Text",
    "Texts",
    "Transport",
    "TransportContext",
    "TransportFailedError",
    "TransportParts",
    "TransportPlugin",
    "TransportRefusedError",
    "Unauthorized",
    "UpstreamError",
    "Workload",
    "both_set",
    "one_without_other",
    "parse_folder",
    "parse_key",
    "signed",
]
