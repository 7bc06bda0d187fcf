"""Files that make a YAML parser stumble: each reader of YAML refuses them in words of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from adapters.access_policy.document import read_policy
from adapters.access_policy.problems import AccessPolicyError
from adapters.kubernetes.sources import read_kubeconfig
from adapters.system import yaml_nodes
from adapters.system.yaml_nodes import YamlError, YamlTooDeepError, nodes_of, suggestion
from adapters.wadm_manifest.check import read_file
from adapters.wadm_manifest.tree import ManifestUnreadableError
from adapters.wasmcloud2.workload_file import WorkloadFileError, read_workload_file

if TYPE_CHECKING:
    from pathlib import Path

BEYOND_UNICODE = (rb'a: "\UFFFFFFFF"', rb'a: "\U00110000"', rb'a: "\ud800"', rb'"\udfffx": b')
TOO_DEEP = (b"[" * 50_000, b"- " * 50_000, b"{a: " * 20_000, b"? " * 20_000)
ODD_VALUES = (b"a: !!int ''", b"a: !!bool maybe", b"a: !!timestamp 2026-99-99", b"? {a: b}\n: c")


@pytest.fixture(params=["libyaml", "pure"])
def _each_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pure":
        monkeypatch.setattr(yaml_nodes, "LOADER", yaml.SafeLoader)


@pytest.mark.usefixtures("_each_parser")
@pytest.mark.parametrize("data", BEYOND_UNICODE)
def test_an_escape_beyond_unicode_is_a_mistake_in_the_file(data: bytes) -> None:
    with pytest.raises(ManifestUnreadableError, match="not YAML"):
        read_file("manifest", data)
    with pytest.raises(WorkloadFileError, match="not YAML"):
        read_workload_file(data)
    with pytest.raises(AccessPolicyError, match="not YAML"):
        read_policy(data)


@pytest.mark.parametrize("data", TOO_DEEP)
def test_a_file_nested_without_end_is_refused_and_ends_no_process(data: bytes) -> None:
    with pytest.raises(ManifestUnreadableError, match="nested too deeply"):
        read_file("manifest", data)
    with pytest.raises(WorkloadFileError, match="nested too deeply"):
        read_workload_file(data)
    with pytest.raises(AccessPolicyError, match="nested deeper"):
        read_policy(data)


@pytest.mark.parametrize("data", [*BEYOND_UNICODE, *ODD_VALUES, b"[" * 1000])
def test_a_kubeconfig_of_odd_values_is_refused_without_its_text(
    data: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_bytes(data)

    with pytest.raises(ValueError, match="kubeconfig") as refusal:
        read_kubeconfig([path], None)

    assert refusal.value.__context__ is None


@pytest.mark.usefixtures("_each_parser")
def test_a_failure_keeps_nothing_of_the_text() -> None:
    with pytest.raises(YamlError) as failure:
        nodes_of("token: canary\n  other: [", 8)

    assert failure.value.line == 2
    assert failure.value.__context__ is None
    assert "canary" not in failure.value.problem


def test_the_bound_of_depth_is_exact() -> None:
    assert len(nodes_of("[[[]]]", 3)) == 1
    with pytest.raises(YamlTooDeepError):
        nodes_of("[[[[]]]]", 3)


def test_an_alias_that_holds_itself_ends() -> None:
    checked = read_file("manifest", b"&a {metadata: *a, spec: *a, components: *a, policies: *a}")

    assert checked.findings


def test_a_number_of_thousands_of_digits_is_a_text() -> None:
    digits = "9" * 5000
    body = read_workload_file(f"namespace: a\nname: b\nserial: {digits}".encode())

    assert body["workload"]["serial"] == digits


@pytest.mark.parametrize("name", ["te\tam", "te\x1b[2Jam", "team\u202e", "te\u200bam", "team\x85"])
def test_a_near_name_that_could_steer_a_terminal_is_not_suggested(name: str) -> None:
    assert suggestion("team", [name]) == ""


def test_a_near_name_of_plain_characters_is() -> None:
    assert suggestion("taem", ["other", "team"]) == ' Did you mean "team"?'
