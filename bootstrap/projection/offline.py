"""What needs no agent: check its configuration, wipe after it, configure a host."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from adapters.projection.directory import ProjectedDirectory
from bootstrap.containers import Container
from bootstrap.projection.main import load_plan
from bootstrap.server_keys import load_peer_keys
from bootstrap.settings import SettingsError, load_configuration, load_settings
from bootstrap.settings.service import Wasmcloud2Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bootstrap.projection.plan import Plan, PlannedDirectory, PlannedFile


_LABEL: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)
"""A label of a WIT import: words of letters and digits, each lower-case here, joined by "-"."""

_HEAD: Final = """\
# Made by `wasmcloud-secrets v2 host-config` for .wash/config.yaml of `wash host`, or --user-config.
# A component that imports the label NAME as wasmcloud:secrets/secret, in a workload whose
# hostInterfaces name NAME, gets the file NAME. The host reads the files when it starts, and only
# then: after a change it must be started again.
#
# What this host does not protect:
# - A binding is no grant. Every workload on the host that names one gets its value, whatever its
#   namespace and name, so a host belongs to one circle of trust, and so do those who may start
#   workloads there: keep others from publishing to runtime.host.> in NATS.
# - wasmcloud:secrets/store and reveal find nothing of these bindings: only labelled imports do.
# - Without bindings the host would give every value to every workload: leave them in.
"""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file without a binding, and why."""

    file: PlannedFile
    directory: PlannedDirectory
    reason: str

    @override
    def __str__(self) -> str:
        who = self.directory.consumer
        return f"{self.file.name} of {who.namespace}/{who.name} has no binding: {self.reason}"


@dataclass(frozen=True, slots=True)
class HostConfig:
    """What the host is to be given, and what it cannot be."""

    text: str
    left_out: tuple[LeftOut, ...]


def host_config(plan: Plan, refusal: Callable[[PlannedFile], str | None]) -> HostConfig:
    """Write the configuration for a plan of directories on the host's machine. `refusal`: returns
    why the rules keep a file's secret from its consumer; None if they do not.
    """
    sources: dict[str, PlannedDirectory] = {}
    bindings: dict[str, str] = {}
    left_out: list[LeftOut] = []
    for directory in plan.directories:
        source = _source_name(directory, sources)
        for file in directory.files:
            reason = refusal(file) or _unfit(file.name, bindings)
            if reason is not None:
                left_out.append(LeftOut(file, directory, reason))
                continue
            sources[source] = directory
            bindings[file.name] = source
    text = "\n".join(_lines(sources, bindings, left_out))
    return HostConfig(f"{_HEAD}{text}\n", tuple(left_out))


def _lines(
    sources: dict[str, PlannedDirectory], bindings: dict[str, str], left_out: list[LeftOut]
) -> Iterator[str]:
    for one in left_out:
        yield f"# Left out: {json.dumps(str(one), ensure_ascii=False)[1:-1]}"
    yield "secrets:" if sources else "secrets: {}"
    for name, directory in sources.items():
        yield f"  {_quoted(name)}: {{dir: {_quoted(str(directory.path))}}}"
    yield "host:"
    yield "  plugins:"
    yield "    - id: wasmcloud-secrets"
    yield "      # A workload that brings a value of its own under one of these names is refused."
    yield f"      hostOwnedKeys: [{', '.join(map(_quoted, bindings))}]"
    # Also where none is left: an entry without bindings gives every workload everything.
    yield "      bindings:" if bindings else "      bindings: {}"
    for label, source in bindings.items():
        yield f"        {_quoted(label)}: {{secretFrom: [{_quoted(source)}]}}"


def _unfit(name: str, bindings: dict[str, str]) -> str | None:
    if not _LABEL.fullmatch(name):
        return "its name is no label of a WIT import; use lower-case words joined by -"
    if name in bindings:
        return (
            f"{bindings[name]} has a file of that name, and the host knows one value for a label; "
            "name one of the two otherwise, or use two hosts"
        )
    return None


def _source_name(directory: PlannedDirectory, taken: dict[str, PlannedDirectory]) -> str:
    consumer = directory.consumer
    name = f"{consumer.namespace}-{consumer.name}"
    return name if name not in taken else f"{name}-{len(taken) + 1}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def checked(config: Path) -> Plan:
    """Return the plan of a configuration file.

    Raises:
        SettingsError: with every problem in it.
    """
    return load_plan(config, load_settings(Wasmcloud2Settings).v2_environment)


def wiped(config: Path) -> list[str]:
    """Remove all files of every directory that no agent has; return what could not be removed.

    Raises:
        SettingsError: the file has problems.
    """
    left = []
    for planned in checked(config).directories:
        try:
            found = ProjectedDirectory.found(planned.path)
            if found is None:
                continue
            if found.lock():
                found.wipe()
            else:
                left.append(f"An agent that runs has {planned.path}; stop it first.")
            found.close()
        except OSError as error:
            left.append(f"{planned.path} could not be wiped ({error.strerror}).")
    return left


async def labelled_secrets(config: Path) -> HostConfig:
    """Return a host's configuration for the directories of an agent's configuration file.

    Raises:
        SettingsError: the settings, the file or the access policy have problems.
    """
    configuration = load_configuration()
    if problems := configuration.unusable():
        raise SettingsError(*problems)
    plan = load_plan(config, configuration.service.v2_environment)
    container = Container(configuration=configuration, keys=load_peer_keys(configuration.service))
    await container.access().load()
    authorize = container.authorize()

    def refusal(file: PlannedFile) -> str | None:
        access = authorize.for_workload(file.secret.workload, file.secret.wanted)
        if not access.decision.allowed:
            return f"no rule allows it ({access.decision.reason})"
        return None if access.location is not None else "its reference names no secret of the store"

    return host_config(plan, refusal)
