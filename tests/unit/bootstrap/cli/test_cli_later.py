"""The list of commands says what each says of itself, and loads none of them."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from bootstrap.cli import COMMANDS, app

HEAVY = (
    "nats",
    "pydantic",
    "nacl",
    "yaml",
    "rich",
    "httptools",
    "structlog",
    "dependency_injector",
)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_by_the_first_sentence_of_its_own_help(name: str) -> None:
    command = COMMANDS[name].load(name)

    first = " ".join((command.help or "").partition("\n\n")[0].split())
    assert COMMANDS[name].help == first


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["kv", "put", "--help"],
        ["cache", "flush", "--help"],
        *([name, "--help"] for name in COMMANDS),
    ],
)
def test_help_loads_none_of_what_commands_need(arguments: list[str]) -> None:
    code = (
        "import sys; from bootstrap.command import run\n"
        f"sys.argv = ['wasmcloud-secrets', *{arguments}]\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        f"print('loaded', sorted(sys.modules.keys() & {set(HEAVY)}))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert done.stdout.endswith("loaded []\n")


def test_a_loaded_command_stays_loaded() -> None:
    root = typer.main.get_command(app)
    context = typer.Context(root)

    def loaded(name: str) -> object:
        return root.get_command(context, name)  # type: ignore[attr-defined]  # it is a group

    assert loaded("keys") is loaded("keys")
    assert loaded("no-such-command") is None
