"""Files in, findings out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.wadm_manifest.checks import check_names, check_policies, check_providers
from adapters.wadm_manifest.findings import Findings
from adapters.wadm_manifest.places import check_places
from adapters.wadm_manifest.reader import read_manifest
from adapters.wadm_manifest.tree import NodeReader, Visits, read_documents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from adapters.wadm_manifest.findings import Finding
    from adapters.wadm_manifest.model import Manifest
    from adapters.wadm_manifest.places import Judge
    from ports.store_shape import StoreShape


@dataclass(slots=True)
class CheckedFile:
    """One file with the applications in it."""

    name: str
    findings: Findings = field(default_factory=Findings)
    manifests: list[Manifest] = field(default_factory=list)

    @property
    def sorted_findings(self) -> list[Finding]:
        """What was found, in the order of lines."""
        return sorted(self.findings.all)


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
