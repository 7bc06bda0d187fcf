"""From YAML nodes to a manifest, with wadm's own strictness.

Source: the structures of wadm-types 0.8.3. Some refuse unknown members; those around secrets drop
them without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.system.yaml_nodes import suggestion
from adapters.wadm_manifest.model import COMPONENT_TYPES, Component, Manifest, Policy, SecretUse
from adapters.wadm_manifest.tree import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from adapters.wadm_manifest.tree import NodeReader

API_VERSION, KIND = "core.oam.dev/v1beta1", "Application"
_OLD_FORMS = frozenset({"secret_ref", "secretRef", "source"})

_TOP = ("apiVersion", "kind", "metadata", "spec")
_METADATA = ("name", "annotations", "labels")
_SPEC = ("components", "policies")
_POLICY = ("name", "properties", "type")
_COMPONENT = ("name", "type", "properties", "traits")
_PROPERTIES = ("image", "application", "id", "config", "secrets")
_TRAIT = ("type", "properties")
_LINK = (
    *("namespace", "package", "interfaces", "source", "target", "name"),
    *("source_config", "target_config"),
)
_SOURCE = ("config", "secrets")
_TARGET = ("name", "config", "secrets")
_SECRET = ("name", "properties")
_REFERENCE = ("policy", "key", "field", "version")


def read_manifest(top: NodeReader) -> Manifest | None:
    """Read one document; None if it is no application, which is noted."""
    members = top.members()
    kind = members.get("kind")
    if kind is None or kind.node.value != KIND:
        top.warning("not_an_application", f"this document is no {KIND}, so it was left out")
        return None
    _unknown(members, _TOP, refused=True)
    _required(top, members, _TOP)
    version = members.get("apiVersion")
    if version is not None and version.text() not in {API_VERSION, None}:
        version.error("api_version", f"wadm knows only {API_VERSION}; write that")
    metadata = members["metadata"].members() if "metadata" in members else {}
    _unknown(metadata, _METADATA, refused=False)
    if "metadata" in members:
        _required(members["metadata"], metadata, ("name", "annotations"))
    manifest = Manifest(_plain(metadata.get("name")) or "", top)
    spec = members["spec"].members() if "spec" in members else {}
    _unknown(spec, _SPEC, refused=False)
    if "spec" in members:
        _required(members["spec"], spec, ("components",))
    for reader in spec["policies"].items() if "policies" in spec else ():
        _read_policy(manifest, reader)
    for reader in spec["components"].items() if "components" in spec else ():
        _read_component(manifest, reader)
    return manifest


def _read_policy(manifest: Manifest, reader: NodeReader) -> None:
    reader = reader.titled()
    members = reader.members()
    name = _plain(members.get("name"))
    _unknown(members, _POLICY, refused=False)
    _required(reader, members, _POLICY)
    properties: dict[str, str] = {}
    readers = members["properties"].members() if "properties" in members else {}
    for key, value in readers.items():
        if value.kind in {Kind.LIST, Kind.MEMBERS}:
            value.error(
                "property_nested",
                f'a property is flat text and this is {value.kind}; write a list as "a,b"',
            )
        else:
            properties[key] = str(value.node.value)
    if name is not None:
        manifest.policies.append(
            Policy(name, _plain(members.get("type")), properties, reader, readers)
        )


def _read_component(manifest: Manifest, reader: NodeReader) -> None:
    reader = reader.titled()
    members = reader.members()
    name = _text(members, "name")
    if "secrets" in members:
        members.pop("secrets").error(
            "secrets_misplaced", "wadm drops secrets that stand here; put them under properties"
        )
    _unknown(members, _COMPONENT, refused=False)
    _required(reader, members, ("name", "type", "properties"))
    kind = _text(members, "type")
    if kind is not None and kind not in COMPONENT_TYPES:
        members["type"].error("component_type", 'the type is "component" or "capability"')
    properties = members["properties"].members() if "properties" in members else {}
    _unknown(properties, _PROPERTIES, refused=True)
    component = Component(
        name or "", kind, _text(properties, "image") or "", is_shared="application" in properties
    )
    manifest.components.append(component)
    if "secrets" in properties:
        if component.is_shared:
            properties["secrets"].error(
                "secrets_of_a_shared_component",
                "wadm refuses secrets for a component of another application; write them there",
            )
        _read_secrets(manifest, component, properties["secrets"], "component", None)
    for trait in members["traits"].items() if "traits" in members else ():
        _read_trait(manifest, component, trait)


def _read_trait(manifest: Manifest, component: Component, reader: NodeReader) -> None:
    members = reader.members()
    _unknown(members, _TRAIT, refused=True)
    if _text(members, "type") != "link" or "properties" not in members:
        return
    link = members["properties"].members()
    if "secrets" in link:
        link.pop("secrets").error(
            "secrets_misplaced",
            "wadm drops secrets that stand here; put them under the link's source or target",
        )
    _unknown(link, _LINK, refused=False)
    target = link.get("target")
    ends: dict[str, Mapping[str, NodeReader]] = {}
    if target is not None and target.kind is Kind.TEXT:
        target_name: str | None = str(target.node.value)
    else:
        ends["target"] = target.members() if target is not None else {}
        _unknown(ends["target"], _TARGET, refused=False)
        target_name = _text(ends["target"], "name")
    if "source" in link:
        ends["source"] = link["source"].members()
        _unknown(ends["source"], _SOURCE, refused=False)
    for end, definition in ends.items():
        if "secrets" in definition:
            _read_secrets(manifest, component, definition["secrets"], end, target_name)


def _read_secrets(
    manifest: Manifest, component: Component, reader: NodeReader, stands_in: str, target: str | None
) -> None:
    for item in reader.items():
        titled = item.titled()
        members = titled.members()
        name = _text(members, "name")
        for old in _OLD_FORMS & members.keys():
            members.pop(old).error(
                "old_form",
                f'"{old}" is of an older wadm; write properties with policy, key and, if needed, '
                "field and version",
            )
        _unknown(members, _SECRET, refused=False, of_a_secret=True)
        _required(titled, members, _SECRET)
        reference = members["properties"].members() if "properties" in members else {}
        _unknown(reference, _REFERENCE, refused=False, of_a_secret=True)
        if "properties" in members:
            _required(titled, reference, ("policy", "key"))
        manifest.uses.append(
            SecretUse(
                name,
                _text(reference, "policy"),
                _text(reference, "key"),
                _optional(reference, "field"),
                _optional(reference, "version"),
                component.name,
                titled,
                stands_in,
                target,
            )
        )


def _unknown(
    members: Mapping[str, NodeReader],
    known: Collection[str],
    *,
    refused: bool,
    of_a_secret: bool = False,
) -> None:
    for name in members.keys() - set(known):
        reader, hint = members[name], suggestion(name, known)
        if refused:
            reader.error("member_refused", f"wadm refuses this member; remove it.{hint}")
        elif of_a_secret:
            reader.error(
                "member_dropped",
                f"wadm drops this member without a word, as if it were not there.{hint}",
            )
        else:
            reader.warning("member_dropped", f"wadm drops this member without a word.{hint}")


def _required(
    reader: NodeReader, members: Mapping[str, NodeReader], names: Collection[str]
) -> None:
    for name in names:
        if name not in members:
            reader.error("member_missing", f'wadm needs the member "{name}"; add it')


def _text(members: Mapping[str, NodeReader], name: str) -> str | None:
    return members[name].text() if name in members else None


def _optional(members: Mapping[str, NodeReader], name: str) -> str | None:
    reader = members.get(name)
    return None if reader is None or reader.kind is Kind.NOTHING else reader.text()


def _plain(reader: NodeReader | None) -> str | None:
    """Return a scalar of any kind as text: outside of components wadm takes it so."""
    if reader is None or reader.kind in {Kind.LIST, Kind.MEMBERS}:
        return None if reader is None else reader.text()
    return str(reader.node.value)
