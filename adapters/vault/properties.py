"""The policy properties that this store reads, those of wasmCloud's secrets-vault included.

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
from typing import TYPE_CHECKING, Literal

from adapters.upstream.policy_choices import check_known, read_encoding, read_path
from adapters.vault.names import InvalidNameError, parse_mount, parse_namespace, parse_role
from domain.model.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KNOWN = ("encoding", "mount", "namespace", "path", "role")

_OTHER_NAMES = {"role_name": "role", "secret_engine_path": "mount"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a policy chooses; None where it leaves the choice to the operator.

    Attributes:
        mount: the key-value engine's path.
        namespace: the namespace; "" is the root.
        role: the role of a caller-bound login.
        folders: the folder that relative keys stand below, outermost first.
        encoding: how fields are to be read.
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
