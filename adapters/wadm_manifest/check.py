"""Files in, findings out: what goes wrong with secrets, also where wadm takes the manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.system.yaml_nodes import suggestion
from adapters.wadm_manifest.model import SECRET_POLICY, configuration_name
from adapters.wadm_manifest.places import check_places
from adapters.wadm_manifest.reader import read_manifest
from adapters.wadm_manifest.tree import (
    NodeReader,
    Visits,
    read_documents,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from adapters.wadm_manifest.model import Manifest, Policy, SecretUse
    from adapters.wadm_manifest.places import Judge
    from adapters.wadm_manifest.tree import Finding
    from ports.store_shape import StoreShape

_REDIS_READS = "url"


@dataclass(slots=True)
class CheckedFile:
    """One file with the applications in it."""

    name: str
    findings: list[Finding] = field(default_factory=list)
    manifests: list[Manifest] = field(default_factory=list)

    @property
    def sorted_findings(self) -> list[Finding]:
        """What was found, in the order of lines."""
        return sorted(self.findings)


def read_file(name: str, data: bytes) -> CheckedFile:
    """Read the applications of one file, and note what wadm refuses or drops.

    Raises:
        ManifestUnreadableError: it is no YAML.
    """
    checked = CheckedFile(name)
    documents = read_documents(data)
    visits = Visits()
    for number, node in enumerate(documents):
        reader = NodeReader.top(node, checked.findings, visits)
        if number == 1:
            reader.warning(
                "several_documents",
                "wadm refuses a file with several documents; give it each document by itself",
            )
        manifest = read_manifest(reader)
        if manifest is not None:
            checked.manifests.append(manifest)
    return checked


def check_files(
    files: Iterable[CheckedFile],
    backends: Collection[str],
    store: StoreShape | None = None,
    judge: Judge | None = None,
) -> None:
    """Note what goes wrong with the secrets of all files together.

    Args:
        backends: the names of the backends that are served; empty for unknown.
        store: the store behind these backends; None if its keys and properties are not checked.
        judge: the rules in force; None if they are not asked.
    """
    files = list(files)
    for file in files:
        for manifest in file.manifests:
            check_policies(manifest, backends)
            check_providers(manifest)
            if store is not None:
                check_places(manifest, backends, store, judge)
    check_names((file.name, manifest) for file in files for manifest in file.manifests)


def check_policies(manifest: Manifest, backends: Collection[str]) -> None:
    """Check the policies and that each secret names one of them that is served. `backends`: the
    names of the backends that are served; empty for unknown.
    """
    seen: set[str] = set()
    used = {use.policy for use in manifest.uses}
    for policy in manifest.policies:
        if policy.name in seen:
            policy.reader.error(
                "policy_twice", "another policy has this name, and wadm uses the last; rename one"
            )
        seen.add(policy.name)
        if policy.type == SECRET_POLICY and policy.name in used:
            _check_backend(policy, backends)
        elif policy.type == SECRET_POLICY:
            policy.reader.warning("policy_unused", "no secret names this policy")
    for use in manifest.uses:
        if use.policy is not None:
            _check_policy_of(use, use.policy, manifest)


def _check_backend(policy: Policy, backends: Collection[str]) -> None:
    backend = policy.properties.get("backend")
    if not backend:
        policy.reader.error(
            "backend_missing", 'the property "backend" is missing or empty; name the backend'
        )
    elif backends and backend not in backends:
        policy.reader.error(
            "backend_not_served",
            f"no backend {shown(backend)} is served: hosts fail to fetch the server xkey; "
            f"served are {', '.join(sorted(backends))}.{suggestion(backend, backends)}",
        )


def _check_policy_of(use: SecretUse, name: str, manifest: Manifest) -> None:
    found = manifest.policy(name)
    if found is None:
        names = [policy.name for policy in manifest.policies]
        use.reader.error(
            "policy_unknown", f"no policy is called {shown(name)}.{suggestion(name, names)}"
        )
    elif found.type != SECRET_POLICY:
        use.reader.error(
            "policy_type", f"the policy {shown(name)} must have the type {SECRET_POLICY}"
        )


def check_names(manifests: Iterable[tuple[str, Manifest]]) -> None:
    """Check that no two secrets share one stored reference.

    wadm stores a secret's reference under the names of the manifest and the secret alone: what
    stands in another component under the same name gets the first one's key, and the status says
    "deployed". `manifests`: all that are checked together, each with the name of its file.
    """
    first: dict[str, tuple[str, Manifest, SecretUse]] = {}
    for file, manifest in manifests:
        for use in manifest.uses:
            if use.name is None:
                continue
            stored = configuration_name(manifest.name, use.name)
            before = first.setdefault(stored, (file, manifest, use))
            if before[2] is not use:
                _check_pair(file, manifest, use, before)


def _check_pair(
    file: str, manifest: Manifest, use: SecretUse, before: tuple[str, Manifest, SecretUse]
) -> None:
    other_file, other_manifest, other = before
    where = f"line {other.reader.line}" + ("" if other_file == file else f" of {other_file}")
    same_list = other_manifest is manifest and _list_of(other) == _list_of(use)
    if same_list:
        use.reader.error("secret_twice", f"this secret stands on {where} already; rename one")
    elif other.reference != use.reference:
        use.reader.error(
            "secret_name_shared",
            f"wadm keeps one reference for this name and the secret of {where}: this one gets the "
            "value of that key; give each secret of a manifest a name of its own",
        )


def _list_of(use: SecretUse) -> str:
    return use.reader.place.rpartition(".secrets[")[0]


def check_providers(manifest: Manifest) -> None:
    """Check that providers known by their image read the secrets that stand for them."""
    for use in manifest.uses:
        provider = manifest.asker(use)
        if provider is None:
            if use.stands_in != "component":
                use.reader.warning(
                    "link_without_provider",
                    "no provider of this manifest is at either end of this link; hosts ask for a "
                    "link's secrets with the provider's token",
                )
            continue
        if "keyvalue-redis" not in provider.image or use.name is None:
            continue
        if use.stands_in != "component":
            use.reader.error(
                "not_read_by_provider",
                "keyvalue-redis looks its url up in configuration and in the provider's own "
                f'secrets, not in a link\'s; put "{_REDIS_READS}" under the properties of '
                f"{shown(provider.name)}",
            )
        elif use.name != _REDIS_READS:
            use.reader.warning(
                "not_read_by_provider",
                f'of its secrets keyvalue-redis reads "{_REDIS_READS}" alone; write the password '
                "into the URL",
            )
