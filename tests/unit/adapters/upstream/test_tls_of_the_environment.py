"""SSL_CERT_FILE and SSL_CERT_DIR are tried before they are trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import certifi
import pytest

from adapters.upstream.config import UpstreamConfig
from adapters.upstream.tls import tls_context
from ports.plugin import PluginError

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = UpstreamConfig(
    name="Store",
    code="store",
    base_url="https://store",
    url_setting="STORE_URL",
    ca_setting="STORE_CA",
)


def test_a_file_of_certificates_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())

    assert tls_context(CONFIG).get_ca_certs()


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_without_certificates_is_refused_by_its_own_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    with pytest.raises(PluginError) as refused:
        tls_context(CONFIG)

    assert refused.value.setting == "SSL_CERT_FILE"


def test_a_folder_that_does_not_exist_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "missing"))

    with pytest.raises(PluginError) as refused:
        tls_context(CONFIG)

    assert refused.value.setting == "SSL_CERT_DIR"
