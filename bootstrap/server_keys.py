"""The service's own xkeys: from a seed, from a file that is made when there is none, or fresh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.seed_file import SeedFileError, read_or_create_seed
from bootstrap.settings import Problem, SettingsError
from bootstrap.settings.stores import NATS_KV
from domain.model.errors import InvalidXKey
from domain.use_cases.key_ring import KeyRing

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

    from bootstrap.settings import Settings
    from bootstrap.settings.stores import NatsKvSettings

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """Every key pair the service holds.

    Attributes:
        server: what hosts seal their requests for.
        encryption: what stored secrets are sealed with; None unless the store needs one.
    """

    server: KeyRing
    encryption: SodiumXKeyPair | None = None


def load_service_keys(settings: Settings) -> ServiceKeys:
    """Read or make the keys that the settings call for.

    Raises:
        SettingsError: with every problem found.
    """
    problems: list[Problem] = []
    server = encryption = None
    try:
        server = _server_xkey(settings)
    except SettingsError as error:
        problems.extend(error.problems)
    if settings.secret_store == NATS_KV:
        try:
            encryption = load_encryption_xkey(settings)
        except SettingsError as error:
            problems.extend(error.problems)
    if server is None or problems:
        raise SettingsError(*problems)
    retired = tuple(
        SodiumXKeyPair.from_seed(seed.get_secret_value())
        for seed in settings.server_xkey_retired_seeds
    )
    return ServiceKeys(KeyRing(server, retired), encryption)


def load_encryption_xkey(settings: NatsKvSettings) -> SodiumXKeyPair:
    """Read, or make, the xkey that stored secrets are sealed with.

    Raises:
        SettingsError: it is not set, or its file cannot be used.
    """
    pair = _from_settings(
        "ENCRYPTION_XKEY_SEED_FILE",
        settings.encryption_xkey_seed,
        settings.encryption_xkey_seed_file,
    )
    if pair is None:
        raise SettingsError(
            Problem(
                "ENCRYPTION_XKEY_SEED",
                "is not set: give the seed (SX…) that stored secrets are sealed with, or a place "
                "for it in ENCRYPTION_XKEY_SEED_FILE.",
            )
        )
    return pair


def _server_xkey(settings: Settings) -> SodiumXKeyPair:
    pair = _from_settings(
        "SERVER_XKEY_SEED_FILE", settings.server_xkey_seed, settings.server_xkey_seed_file
    )
    if pair is not None:
        return pair
    pair = SodiumXKeyPair.generate()
    _log.warning(
        "server_xkey.generated",
        server_xkey=pair.public,
        meaning="Hosts keep the first key they see, so those already running cannot be served "
        "until they are restarted, and no second replica can start.",
        advice="Set SERVER_XKEY_SEED_FILE or SERVER_XKEY_SEED.",
    )
    return pair


def _from_settings(
    file_setting: str, seed: SecretStr | None, path: Path | None
) -> SodiumXKeyPair | None:
    if seed is not None:
        return SodiumXKeyPair.from_seed(seed.get_secret_value())
    if path is None:
        return None
    try:
        found = read_or_create_seed(path, lambda: SodiumXKeyPair.generate().seed_text())
        pair = SodiumXKeyPair.from_seed(found.text)
    except SeedFileError as error:
        advice = str(error)
    except InvalidXKey:
        advice = "names a file that holds no xkey seed; it must hold the 58 characters SX…."
    else:
        if found.created:
            _log.info("seed_file.created", setting=file_setting, public_key=pair.public)
        if found.open_to_others:
            _log.warning(
                "seed_file.open_to_others",
                setting=file_setting,
                advice="Other users of this machine can read it; set the file's mode to 0600.",
            )
        return pair
    raise SettingsError(Problem(file_setting, advice))
