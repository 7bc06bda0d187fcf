"""Infisical as a secret store."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.infisical import reasons
from adapters.infisical.addressing import Addressing
from adapters.infisical.answer import lacks_metadata, read_secret, says_base64
from adapters.infisical.protocol import Wanted
from domain.model.errors import InvalidRequest, SecretNotFound
from ports.secret_store import SecretStore

if TYPE_CHECKING:
    from adapters.infisical.client import InfisicalApi
    from adapters.infisical.settings import InfisicalSettings
    from adapters.upstream.message import UpstreamResponse
    from domain.model.reference import SecretLocation, SecretQuery, SecretReference
    from domain.model.secret import Secret

MAX_VERSION = 2**31 - 1
"""Infisical counts versions in a 32-bit column and fails on larger numbers."""

_VERSION = re.compile(r"[1-9][0-9]{0,99}", re.ASCII)


class InfisicalSecretStore(SecretStore):
    """Reads single secrets, never the list: there wrong paths look empty (measured).

    One limit of newer servers shows nowhere: a reference to a missing secret becomes empty text.
    """

    def __init__(self, settings: InfisicalSettings, api: InfisicalApi) -> None:
        self._addressing = Addressing.from_settings(settings)
        self._allow_unresolved = settings.unresolved_references == "allow"
        self._api = api

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return self._addressing.locate(reference)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        check_version(query.version)
        location, version = query.location, query.version
        # The latest of an import would answer for a version that is missing.
        wanted = Wanted(location, version, imports=version is None)
        answer = await self._api.read(wanted, query.deadline)
        secret = self._read(answer, location, version)
        if version is not None and location.encoding is None and lacks_metadata(answer):
            encoded = await self._with_encoding(location, query.deadline)
            secret = self._read(answer, encoded, version)
        return secret

    def _read(
        self, answer: UpstreamResponse, location: SecretLocation, version: str | None
    ) -> Secret:
        return read_secret(answer, location, version, allow_unresolved=self._allow_unresolved)

    async def _with_encoding(self, location: SecretLocation, deadline: float) -> SecretLocation:
        """Read the encoding of an old version off the latest one, where metadata is kept.

        A value is binary or text whichever version is asked for, so this costs another read.
        """
        try:
            latest = await self._api.read(Wanted(location, imports=False), deadline)
        except SecretNotFound:
            return location
        return location._replace(encoding="base64") if says_base64(latest) else location


def check_version(version: str | None) -> None:
    """Check that a secret of Infisical can have this version.

    Raises:
        InvalidRequest: it is no whole number from 1 up.
        SecretNotFound: no secret has that many versions.
    """
    if version is None:
        return
    if not _VERSION.fullmatch(version):
        raise InvalidRequest(
            "A version of an Infisical secret is a whole number from 1 up, such as 3.",
            reason="version_malformed",
        )
    if int(version) > MAX_VERSION:
        raise SecretNotFound(
            "No Infisical secret has that many versions; ask for another.",
            reason=reasons.VERSION_NOT_FOUND,
        )
