"""The Nomad job, as text: no Nomad is run in these tests."""

from __future__ import annotations

import re

from bootstrap.closing import CLOSING_SECONDS
from bootstrap.settings.model import every_variable
from bootstrap.settings.service import LimitSettings
from tests.deploy.conftest import ROOT

JOB = (ROOT / "deploy" / "nomad" / "wasmcloud-secrets.nomad.hcl").read_text("utf-8")


def environment() -> dict[str, str]:
    found = re.search(r"\n      env \{\n(.*?)\n      \}", JOB, flags=re.DOTALL)
    assert found is not None
    return dict(re.findall(r'^ +([A-Z_]+) += "(.*)"$', found[1], flags=re.MULTILINE))


def test_every_setting_exists() -> None:
    assert environment()
    assert environment().keys() <= set(every_variable(shipped=True))


def test_every_file_that_a_setting_names_is_a_template() -> None:
    files = {path for name, path in environment().items() if name.endswith("_FILE")}
    written = {path for path in files if path.startswith("${NOMAD_ALLOC_DIR}/data/")}

    assert files - written == set(re.findall(r'destination += "(.*)"', JOB))


def test_refused_logins_outlive_a_task_that_is_started_again() -> None:
    assert environment()["INFISICAL_LOCKOUT_FILE"].startswith("${NOMAD_ALLOC_DIR}/data/")


def test_the_admin_listener_takes_the_container_s_address_and_the_port_that_nomad_chose() -> None:
    assert environment()["ADMIN_ADDR"] == "0.0.0.0:${NOMAD_PORT_admin}"


def test_a_stop_has_the_time_that_the_service_takes() -> None:
    found = re.search(r'kill_timeout += "(\d+)s"', JOB)
    grace = LimitSettings.model_fields["shutdown_grace_seconds"].default

    assert found is not None
    assert float(found[1]) > grace + CLOSING_SECONDS
