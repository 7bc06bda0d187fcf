"""A certificate authority for one test, by the openssl of this machine."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_DAYS = ("-days", "2")


class Certificate(NamedTuple):
    """Two files in PEM form."""

    chain: Path
    key: Path


class Authority:
    """Issues certificates into a folder; skips the test where there is no openssl."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._own = self._new(name, "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    @property
    def file(self) -> Path:
        """What others know it by."""
        return self._own.chain

    def issue(self, name: str, *alternatives: str) -> Certificate:
        """Issue a certificate with these subject alternative names, such as `DNS:localhost`."""
        extra = ("-addext", f"subjectAltName={','.join(alternatives)}") if alternatives else ()
        return self._new(
            name,
            *extra,
            *("-addext", "basicConstraints=critical,CA:FALSE"),
            *("-CA", str(self._own.chain), "-CAkey", str(self._own.key)),
        )

    def client(self, certificate: Certificate | None) -> ssl.SSLContext:
        """Return a context that trusts this authority and shows that certificate."""
        context = ssl.create_default_context(cafile=self.file)
        if certificate is not None:
            context.load_cert_chain(*certificate)
        return context

    def _new(self, name: str, *arguments: str) -> Certificate:
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("makes its certificates with openssl, which is not installed")
        made = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}-key.pem")
        files = ("-keyout", str(made.key), "-out", str(made.chain))
        command = (openssl, "req", "-x509", *_NEW_KEY, *_DAYS, "-subj", f"/CN={name}", *files)
        subprocess.run((*command, *arguments), check=True, capture_output=True, timeout=60)
        return made
