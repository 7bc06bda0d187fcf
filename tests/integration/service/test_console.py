"""The console of a running service, as a client of this machine and as another's."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from domain.model.errors import SecretsError
from tests.support.admin_pages import Pages
from tests.support.free_ports import neighbouring_ports
from tests.support.host import ISSUED_AT
from tests.support.service_process import ServiceProcess, run_to_its_end

if TYPE_CHECKING:
    from tests.support.host import Host
    from tests.support.infisical_server import InfisicalServer

Settings = dict[str, str]
VALUE = "canary-value-51c0"


@pytest.fixture
def pages() -> Pages:
    return Pages(f"127.0.0.1:{neighbouring_ports()}")


@pytest.fixture
def settings(infisical_settings: Settings, pages: Pages) -> Settings:
    return infisical_settings | {"ADMIN_ADDR": pages.address, "ADMIN_CONSOLE": "true"}


def own_address() -> str | None:
    """Return an address of this machine that is no loopback address, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        # Nothing is sent: connecting a datagram socket only chooses its own end.
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return None


async def test_what_was_asked_is_shown_and_no_value_token_or_seed(
    settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer, pages: Pages
) -> None:
    infisical.model.put("KEY", VALUE)

    async with ServiceProcess(settings, tmp_path) as service:
        await host.get("KEY")
        with suppress(SecretsError):
            await host.get("NOTHING")
        texts = [
            (await pages.get(f"/console{path}")).text
            for path in ("", "/requests", "/store", "/policy", "/keys", "/reasons")
        ]
        answer = await explain(pages, host.entity_token)
        assert await service.stop() == 0

    shown = "\n".join([*texts, answer])
    assert "NOTHING" in shown
    assert "any_valid_entity" in answer
    for secret in (VALUE, host.entity_token, host.host_token, seed_in(settings)):
        assert secret not in shown
        assert secret not in service.output


def seed_in(settings: Settings) -> str:
    return Path(settings["SERVER_XKEY_SEED_FILE"]).read_text("utf-8").strip()


async def explain(pages: Pages, token: str, key: str = "KEY") -> str:
    origin = {"origin": f"http://{pages.address}"}
    async with httpx.AsyncClient(base_url=f"http://{pages.address}", headers=origin) as client:
        response = await client.post("/console/explain", data={"token": token, "key": key})
    assert response.status_code == 200
    return response.text


async def test_the_form_is_answered_by_the_rules_as_they_are_now(
    settings: Settings, tmp_path: Path, pages: Pages
) -> None:
    team = SigningKey.generate(KeyKind.ACCOUNT)
    policy = tmp_path / "policy.yaml"
    text = (
        f"version: 1\nissuers: {{team: {team.public}}}\ngrants:\n  - name: NAME\n    entities: "
        '[{issuer: team, names: ["*"]}]\n    secrets: [{keys: ["/KEY"]}]\n'
    )
    policy.write_text(text, "utf-8")
    token = sign_token(
        team,
        SigningKey.generate(KeyKind.COMPONENT).public,
        token_id="t",
        issued_at=ISSUED_AT,
        metadata={"name": "checkout"},
    )
    async with ServiceProcess(settings | {"ACCESS_POLICY_FILE": str(policy)}, tmp_path) as service:
        before = await explain(pages, token, "OTHER")
        policy.write_text(text.replace("/KEY", "/OTHER"), "utf-8")
        service.signal(signal.SIGHUP)
        await service.wait_for("access_policy.loaded", 2)
        after = await explain(pages, token, "OTHER")
        policy.write_text("version: 1\n<script>\n", "utf-8")
        service.signal(signal.SIGHUP)
        await service.wait_for("access_policy.refused")
        page = (await pages.get("/console/policy")).text

    assert "Refused" in before
    assert "Allowed by the grant" in after
    assert "The file on disk is refused" in page
    assert "<script>\n" not in page


async def test_another_machine_gets_probes_and_no_console(
    settings: Settings, tmp_path: Path, pages: Pages
) -> None:
    address = own_address()
    if address is None:
        pytest.skip("this machine has no address but the loopback")
    port = pages.address.partition(":")[2]
    given = settings | {"ADMIN_ADDR": f"0.0.0.0:{port}", "ADMIN_EXPOSED": "true"}
    outside = Pages(f"{address}:{port}")
    async with ServiceProcess(given, tmp_path):
        assert (await outside.get("/readyz")).status_code == 200
        refused = await outside.get("/console")
        assert (await pages.get("/console")).status_code == 200

    assert refused.status_code == 403
    assert "kubectl port-forward" in refused.text


async def test_without_the_setting_the_page_says_how_to_turn_it_on(
    settings: Settings, tmp_path: Path, pages: Pages
) -> None:
    del settings["ADMIN_CONSOLE"]
    async with ServiceProcess(settings, tmp_path):
        response = await pages.get("/console")

    assert response.status_code == 404
    assert "ADMIN_CONSOLE=true" in response.text


async def test_a_console_without_an_address_stops_the_start(
    settings: Settings, tmp_path: Path
) -> None:
    del settings["ADMIN_ADDR"]

    code, service = await run_to_its_end(settings, tmp_path)

    assert code == 2
    assert "ADMIN_CONSOLE needs ADMIN_ADDR" in service.output


async def test_each_worker_shows_itself(settings: Settings, tmp_path: Path, pages: Pages) -> None:
    port = int(pages.address.partition(":")[2])
    async with ServiceProcess(settings | {"WORKERS": "2"}, tmp_path, ready="service.ready") as own:
        await own.wait_for("service.ready", 2)
        first = (await Pages(f"127.0.0.1:{port}").get("/console")).text
        second = (await Pages(f"127.0.0.1:{port + 1}").get("/console")).text

    assert "This page shows worker 0 of 2" in first
    assert f"http://127.0.0.1:{port + 1}/console" in first
    assert "This page shows worker 1 of 2" in second
    assert f"http://127.0.0.1:{port}/console" in second
