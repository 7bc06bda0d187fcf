"""`python -m tools.kustomize_base`: writes deploy/kustomize/base from the Helm chart, its source.

What Helm alone would say stays out: its labels, and the checksum in whose place kustomize puts the
hash of its own ConfigMap. Needs `helm`, which `make deploy-test` builds into .tools/bin.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[1]
BASE: Final = ROOT / "deploy" / "kustomize" / "base"
_NAME: Final = "wasmcloud-secrets"
_POLICY: Final = f"{_NAME}-policy"
_NOT_OF_KUSTOMIZE: Final = ("helm.sh/chart", "app.kubernetes.io/managed-by")
_HEAD: Final = "# Written by `python -m tools.kustomize_base` from deploy/helm; change it there.\n"


def files(helm: str) -> dict[str, str]:
    """Return the text of each file of the base by its name.

    Raises:
        subprocess.CalledProcessError: helm does not render the chart.
    """
    chart = ROOT / "deploy" / "helm" / _NAME
    options = ["--set", f"policy.existingConfigMap={_POLICY}", "--kube-version", "1.36"]
    command = [helm, "template", _NAME, str(chart), "--namespace", _NAME, *options]
    rendered = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    documents = [_plain(document) for document in yaml.safe_load_all(rendered.stdout) if document]
    settings = next(found for found in documents if found["kind"] == "ConfigMap")
    documents.remove(settings)
    resources = {f"{found['kind'].lower()}.yaml": _HEAD + _dump(found) for found in documents}
    generator = {"name": _NAME, "envs": ["settings.env"]}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(resources),
        "configMapGenerator": [generator],
    }
    lines = "".join(f"{name}={text}\n" for name, text in sorted(settings["data"].items()))
    return {
        **resources,
        "settings.env": _HEAD + lines,
        "kustomization.yaml": _HEAD + _dump(kustomization),
    }


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    document["metadata"].pop("namespace", None)
    template = document["spec"]["template"] if document["kind"] == "Deployment" else {}
    for metadata in (document["metadata"], template.get("metadata", {})):
        for label in _NOT_OF_KUSTOMIZE:
            metadata.get("labels", {}).pop(label, None)
        metadata.pop("annotations", None)
    return document


def _dump(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, width=100)


def main() -> int:
    """Write the base, and return the exit code."""
    path = os.pathsep.join((str(ROOT / ".tools" / "bin"), os.environ.get("PATH", "")))
    helm = shutil.which("helm", path=path)
    if helm is None:
        sys.stderr.write("helm is not installed: `make deploy-test` builds it, where Go is.\n")
        return 1
    for name, text in files(helm).items():
        (BASE / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
