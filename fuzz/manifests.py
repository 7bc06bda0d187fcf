"""Damaged wadm manifests and workload files: findings, or a refusal, that a person can read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from adapters.infisical.plugin import InfisicalPlugin
from adapters.wadm_manifest.check import check_files, read_file
from adapters.wadm_manifest.places import Question, Verdict
from adapters.wadm_manifest.tree import ManifestUnreadableError
from adapters.wasmcloud2.workload_file import WorkloadFileError, read_workload_file
from fuzz.choices import Choices
from fuzz.session import hold
from fuzz.spoiling import spoil_file

_MANIFEST: Final = """\
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: shop}
spec:
  policies:
    - name: main
      type: policy.secret.wasmcloud.dev/v1alpha1
      properties: {backend: infisical, environment: prod, secretPath: /live}
  components:
    - name: checkout
      type: component
      properties:
        image: registry.example.com/checkout:1.0.0
        secrets:
          - {name: api-key, properties: {policy: main, key: API_KEY, version: "3"}}
      traits:
        - type: link
          properties:
            namespace: wasi
            source: {secrets: [{name: card, properties: {policy: main, key: live/CARD}}]}
            target: {name: files, secrets: [{name: t, properties: {policy: main, key: T}}]}
    - name: files
      type: capability
      properties: {image: registry.example.com/files:1.0.0}
"""
_WORKLOAD: Final = """\
namespace: shop
name: cart
witWorld:
  components:
    - image: registry/cart:1
      poolSize: 2
      localResources:
        environment: {DEBUG: no, CODE: 010, TOKEN: "secret://token"}
  hostInterfaces:
    - {namespace: wasmcloud, package: secrets, interfaces: [store], config: {db: secret://db}}
"""
_PIECES: Final = (
    *("\n", "\r", "\x85", "\u2028", "\u202e", "\x1b[2J", "\x00", "\t", " ", "  ", "- ", ": ", "? "),
    *(
        "#",
        "|",
        "'",
        '"',
        "[",
        "]",
        "{",
        "}",
        ",",
        "&a ",
        "*a",
        "<<: *a",
        "!!int ",
        "!<x> ",
        "---\n",
    ),
    *(
        "---\n",
        r'"\UFFFFFFFF"',
        r'"\ud800"',
        "%YAML 1.1\n",
        "1e999",
        "0x1F",
        "null",
        "~",
        "[" * 200,
    ),
    *(
        "secrets",
        "policy",
        "key",
        "name",
        "source_config",
        "9" * 5000,
        "secret://",
        "version: latest",
    ),
)


def _judge(question: Question) -> Verdict:
    return Verdict(f"no grant for {question.location.path}")


@dataclass
class ManifestSession:
    """One file after the other.

    Attributes:
        sent: how many there were.
        outcomes: how often one was read, with which findings, and how often one was refused.
    """

    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._shape = InfisicalPlugin().shape({})

    def close(self) -> None:
        """Nothing is open."""

    def attack(self, data: bytes) -> None:
        """Read the one file these bytes stand for.

        Raises:
            Exception: a promise was broken.
        """
        self.sent += 1
        choices = Choices(data)
        if choices.below(3):
            self._manifest(spoil_file(_MANIFEST, _PIECES, choices))
        else:
            self._workload(spoil_file(_WORKLOAD, _PIECES, choices))

    def _manifest(self, content: bytes) -> None:
        try:
            checked = read_file("manifest", content)
        except ManifestUnreadableError as error:
            hold(str(error).isprintable(), "a refusal steers no terminal")
            self.outcomes["manifest refused"] += 1
            return
        check_files([checked], {"infisical"}, self._shape, _judge)
        lines = content.count(b"\n") + content.count(b"\r") + len(content)
        for finding in checked.sorted_findings:
            hold(0 < finding.line <= lines, "a finding has a line of the file")
            hold(finding.place.isprintable(), "a place steers no terminal")
            hold(finding.advice.isprintable(), "advice steers no terminal")
            self.outcomes[f"found: {finding.code}"] += 1
        self.outcomes["manifest read"] += 1

    def _workload(self, content: bytes) -> None:
        try:
            request = read_workload_file(content)
        except WorkloadFileError as error:
            hold(str(error).isprintable(), "a refusal steers no terminal")
            self.outcomes["workload refused"] += 1
            return
        hold(isinstance(request["workloadId"], str), "a workload has an id")
        self.outcomes["workload read"] += 1
