"""From a key and policy properties to one place in Vault.

The properties are those of wasmCloud's secrets-vault, and two more:

| here | in secrets-vault | chooses |
|---|---|---|
| mount | secret_engine_path | the key-value engine |
| namespace | namespace | the namespace |
| role | role_name | the role of a caller-bound login |
| path | | the folder that relative keys stand below |
| encoding | | how fields are to be read: only "base64" |

Each chooses within what the operator allows. Source: secrets/secrets-vault of wasmCloud/contrib.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from adapters.upstream.policy_choices import (
    FolderBounds,
    check_known,
    chosen,
    read_encoding,
    read_path,
)
from adapters.vault import reasons
from adapters.vault.names import InvalidNameError, parse_mount, parse_namespace, parse_role
from domain.model.errors import InvalidRequest, PolicyError
from domain.model.key_path import parse_key
from domain.model.reference import SecretLocation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.model.reference import SecretReference


KNOWN = ("encoding", "mount", "namespace", "path", "role")

_OTHER_NAMES = {"role_name": "role", "secret_engine_path": "mount"}

MAX_KEY_LENGTH = 512
"""Of the whole path below the mount: the server has no limit, and spends far more time on long
keys than on short ones, whatever it answers (measured)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a policy chooses; None where it leaves the choice to the operator. `folders`: what
    relative keys stand below, outermost first.
    """

    mount: str | None = None
    namespace: str | None = None
    role: str | None = None
    folders: tuple[str, ...] | None = None
    encoding: Literal["base64"] | None = None


def read_properties(properties: Mapping[str, str]) -> Choice:
    """Read a policy's properties.

    Raises:
        PolicyError: another property, one given by both of its names, or one that is malformed.
    """
    if not properties:
        return Choice()
    if "mount_path" in properties:
        raise PolicyError(
            'Drop the policy property "mount_path": secrets-vault never read it, and the mount of '
            'the login is the operator\'s choice. The key-value engine is chosen by "mount".',
            reason="policy_property_unknown",
        )
    plain: dict[str, str] = {}
    for name, text in properties.items():
        known = _OTHER_NAMES.get(name, name)
        check_known([known], KNOWN)
        if plain.setdefault(known, text) != text:
            raise PolicyError(
                f'The policy chooses "{known}" twice, by both names of the property; keep one.',
                reason=f"policy_{known}_malformed",
            )
    return Choice(
        mount=_read(plain, "mount", parse_mount),
        namespace=_read(plain, "namespace", parse_namespace),
        role=_read(plain, "role", parse_role),
        folders=read_path(plain.get("path")),
        encoding=read_encoding(plain.get("encoding")),
    )


def _read(plain: Mapping[str, str], name: str, parse: Callable[[str], str]) -> str | None:
    text = plain.get(name)
    if text is None:
        return None
    try:
        return parse(text)
    except InvalidNameError as error:
        advice = str(error)
    raise PolicyError(f'The policy property "{name}" {advice}', reason=f"policy_{name}_malformed")


@dataclass(frozen=True, slots=True)
class Place:
    """The coordinates of a secret around its path.

    Attributes:
        mount: the key-value engine's path.
        namespace: "" is the root.
        role: the role of a caller-bound login, "" where the service logs in.
    """

    mount: str
    namespace: str = ""
    role: str = ""

    @property
    def engine(self) -> str:
        """The secrets engine by its namespace, such as a quota's pause holds for."""
        return f"{self.namespace}/{self.mount}"

    @classmethod
    def of(cls, location: SecretLocation) -> Place:
        """Read the place back from a location that `Addressing.locate` gave."""
        scope = dict(location.scope)
        return cls(scope["mount"], scope.get("namespace", ""), scope.get("role", ""))

    def scope(self) -> tuple[tuple[str, str], ...]:
        """Return the coordinates sorted by name, without empty ones."""
        named = (("mount", self.mount), ("namespace", self.namespace), ("role", self.role))
        return tuple((name, text) for name, text in named if text)


ANYWHERE: Final = FolderBounds((), ((),), "VAULT_")


@dataclass(frozen=True, slots=True)
class Addressing:
    """Reads references within what the operator allows.

    Attributes:
        default: what applies where a policy does not choose.
        bounds: where keys may lead.
        mounts: what a policy may choose, the default included; so for the others.
    """

    default: Place
    bounds: FolderBounds = ANYWHERE
    mounts: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def locate(self, reference: SecretReference) -> SecretLocation:
        """Return the canonical place that a reference means.

        A relative key stands below the policy's `path`, or else below the configured folder; an
        absolute one stands right below the mount. The mount is never read out of the key.

        Raises:
            InvalidRequest: the key cannot name a secret in Vault.
            PolicyError: a property is unknown or malformed, or something outside is chosen.
        """
        choice = read_properties(reference.properties)
        place = Place(
            mount=chosen(
                choice.mount, self.default.mount, self.mounts, "mount", "VAULT_ALLOWED_MOUNTS"
            ),
            namespace=chosen(
                choice.namespace,
                self.default.namespace,
                self.namespaces,
                "namespace",
                "VAULT_ALLOWED_NAMESPACES",
            ),
            role=self._role(choice.role),
        )
        key = parse_key(reference.key)
        path = "/".join((*self.bounds.place(key, choice.folders), key.name))
        if len(path) > MAX_KEY_LENGTH:
            raise InvalidRequest(
                f"The key and its folders may have {MAX_KEY_LENGTH} characters; store the secret "
                "under a shorter name.",
                reason="key_length",
            )
        # The server refuses the same: every character that Unicode does not count as printable,
        # among them all blanks but the plain space (measured).
        if not path.isprintable():
            raise InvalidRequest(
                "The key holds a character that cannot be printed, such as a line break, a "
                "no-break space or a zero-width space; write the plain name.",
                reason=reasons.KEY_REFUSED,
            )
        return SecretLocation(path=f"/{path}", scope=place.scope(), encoding=choice.encoding)

    def _role(self, choice: str | None) -> str:
        if choice is not None and not self.default.role:
            raise PolicyError(
                'Drop the policy property "role": this backend logs in as itself, so that no role '
                "can be chosen. See docs/vault.md for logins bound to the caller.",
                reason="role_not_allowed",
            )
        return chosen(choice, self.default.role, self.roles, "role", "VAULT_ALLOWED_ROLES")
