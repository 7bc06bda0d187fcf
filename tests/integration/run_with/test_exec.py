"""`exec` as a process: what the command finds, what its caller hears, what is left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.command_line import CommandLine
    from tests.support.kv_secrets import KvSecrets

WHO = ("exec", "--namespace", "shop", "--workload", "cart")
SHOW = (sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))")


def of_process(pid: int, name: str) -> bytes:
    """Return what /proc shows of a process; nothing of one that is gone."""
    path = Path(f"/proc/{pid}/{name}")
    return path.read_bytes() if path.exists() else b""


def below(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def test_the_command_has_the_secret_and_none_of_the_services_settings(
    command_line: CommandLine, kv: KvSecrets
) -> None:
    code, out, err = await command_line.run(*WHO, "--map", "DB_PASSWORD=db", "--", *SHOW)

    assert code == 0, err
    environment = json.loads(out)
    assert environment["DB_PASSWORD"] == "s3cr3t-db-1"
    assert environment["PATH"] == "/usr/bin:/bin"
    assert not environment.keys() & kv.settings.keys()
    assert "s3cr3t" not in err
    assert '"workload_name":"cart"' in err


async def test_fields_properties_and_bytes_reach_the_variable_as_they_are(
    command_line: CommandLine, kv: KvSecrets
) -> None:
    await kv.put("object", '{"user": "ann", "password": "pä ss\\n"}')
    await kv.put("bytes", b"\xff\xfe\n")
    show = "import os, sys; [sys.stdout.buffer.write(os.environb[n] + b'|') for n in (b'A', b'B')]"
    code, out, _ = await command_line.run(
        *WHO,
        *("--map", "A=secret://object?field=password"),
        *("--map", "B=bytes"),
        *(sys.executable, "-c", show),
    )

    assert code == 0
    assert out == "pä ss\n|".encode() + b"\xff\xfe\n|"


@pytest.mark.parametrize(
    ("script", "expected"),
    [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 128 + 15), ("kill -KILL $$", 128 + 9)],
)
async def test_the_exit_code_is_the_commands(
    command_line: CommandLine, script: str, expected: int
) -> None:
    code, _, _ = await command_line.run(*WHO, "--map", "A=db", "--", "/bin/sh", "-c", script)
    assert code == expected


async def test_signals_reach_the_command(command_line: CommandLine) -> None:
    script = "trap 'echo got; exit 5' USR1; echo ready; while :; do sleep 0.05; done"
    process = await command_line.start(*WHO, "--map", "A=db", "--", "/bin/sh", "-c", script)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGUSR1)
    out, _ = await process.communicate()

    assert out == b"got\n"
    assert process.returncode == 5


async def test_a_refused_secret_is_named_and_nothing_is_run(
    command_line: CommandLine, kv: KvSecrets, tmp_path: Path
) -> None:
    kv.grant("/other")
    ran = tmp_path / "ran"
    code, _, err = await command_line.run(*WHO, "--map", "A=db", "--", "touch", str(ran))

    assert code == 1
    assert "A (key db)" in err
    assert "key_not_granted" in err
    assert not ran.exists()


async def test_a_missing_secret_and_one_that_no_variable_can_hold_are_both_named(
    command_line: CommandLine, kv: KvSecrets
) -> None:
    await kv.put("nul", b"a\0b")
    code, _, err = await command_line.run(
        *WHO, "--map", "A=nowhere", "--map", "B=nul", "--", "/bin/true"
    )

    assert code == 1
    assert "A (key nowhere)" in err
    assert "B (key nul) holds a NUL" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Nothing is mapped"),
        (("--map", "A"), "mapping number 1"),
        (("--map", "1A=db"), "mapping number 1"),
        (("--map", "A=db", "--map", "A=db"), "A is mapped twice"),
        (("--map", "A="), "A has no key"),
        (("--map", "A=secret://db?x"), "no reference to a secret"),
        (("--map", "A=db", "--grace", "soon", "--watch"), "--grace"),
    ],
)
async def test_misuse_is_said_with_exit_code_2(
    command_line: CommandLine, options: tuple[str, ...], said: str
) -> None:
    code, _, err = await command_line.run(*WHO, *options, "--", "/bin/true")
    assert code == 2
    assert said in err


async def test_a_command_that_is_not_there_ends_as_in_a_shell(
    command_line: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("no program", "utf-8")
    missing = await command_line.run(*WHO, "--map", "A=db", "--", "no-such-command")
    denied = await command_line.run(*WHO, "--map", "A=db", "--", str(tmp_path / "text"))

    assert (missing[0], denied[0]) == (127, 126)
    assert "no such command" in missing[2]


async def test_no_argument_and_no_file_ever_holds_the_value(
    command_line: CommandLine, tmp_path: Path
) -> None:
    process = await command_line.start(
        *WHO, "--map", "A=db", "--", "/bin/sh", "-c", "echo $$; sleep 30"
    )
    assert process.stdout is not None
    child = int(await process.stdout.readline())
    lines = [of_process(pid, "cmdline") for pid in (process.pid, child)]
    of_child = of_process(child, "environ")
    written = below(tmp_path)
    process.terminate()
    await process.communicate()

    assert b"A=s3cr3t-db-1" in of_child
    assert not any(b"s3cr3t" in data for data in (*lines, *written))
    assert process.returncode == 128 + 15


async def test_watched_commands_start_again_with_the_changed_value_and_end_when_it_is_revoked(
    command_line: CommandLine, kv: KvSecrets, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    script = (
        f"trap 'echo ended >> {log}; exit 0' TERM; echo $A >> {log}; while :; do sleep 0.05; done"
    )
    process = await command_line.start(
        *WHO, "--watch", "--map", "A=db", "--", "/bin/sh", "-c", script
    )
    await until(lambda: log.exists() and log.read_text() == "s3cr3t-db-1\n")
    await kv.put("db", "s3cr3t-db-2")
    await kv.flush()
    await until(lambda: log.read_text() == "s3cr3t-db-1\nended\ns3cr3t-db-2\n")
    kv.grant("/other")
    _, err = await process.communicate()

    assert process.returncode == 1
    assert log.read_text().endswith("s3cr3t-db-2\nended\n")
    assert b"A (key db)" in err
    assert b"s3cr3t" not in err


async def test_a_watched_command_that_ignores_sigterm_is_killed_after_its_grace(
    command_line: CommandLine, kv: KvSecrets, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    script = f"trap '' TERM; echo $A $$ >> {log}; while :; do sleep 0.05; done"
    process = await command_line.start(
        *WHO, "--watch", "--grace", "1s", "--map", "A=db", "--", "/bin/sh", "-c", script
    )
    await until(lambda: log.exists() and log.read_text().startswith("s3cr3t-db-1"))
    await kv.put("db", "s3cr3t-db-2")
    await kv.flush()
    await until(lambda: "s3cr3t-db-2" in log.read_text())
    first = int(log.read_text().split()[1])
    assert not of_process(first, "cmdline")

    os.kill(int(log.read_text().split()[3]), signal.SIGKILL)
    await process.communicate()
    assert process.returncode == 128 + 9


async def test_a_watched_commands_exit_code_is_passed_on(command_line: CommandLine) -> None:
    code, _, _ = await command_line.run(
        *WHO, "--watch", "--map", "A=db", "--", "/bin/sh", "-c", "exit 3"
    )
    assert code == 3


async def test_a_store_that_is_out_ends_in_a_readable_refusal(
    command_line: CommandLine, fresh_nats_server: object, kv: KvSecrets
) -> None:
    await fresh_nats_server.kill()  # type: ignore[attr-defined]
    async with asyncio.timeout(60):
        code, _, err = await command_line.run(*WHO, "--map", "A=db", "--", "/bin/true")
    assert code == 1
    assert "NATS" in err
