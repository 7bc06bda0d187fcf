"""The service's own xkeys: from a seed, from a file that is made when there is none, or fresh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.seed_file import SeedFileError, read_or_create_seed, read_seed
from bootstrap.seed_rotation import next_of, retired_of
from bootstrap.settings import Problem, SettingsError
from bootstrap.settings.stores import NATS_KV
from domain.model.errors import InvalidXKey
from domain.use_cases.key_ring import KeyRing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydantic import SecretStr

    from bootstrap.seed_file import SeedText
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

    def derived(self, purpose: bytes) -> tuple[bytes, ...]:
        """Return a key for one purpose from each server xkey, that of the announced one first."""
        pairs = (self.server.current, *self.server.retired)
        return tuple(pair.derive(purpose) for pair in pairs if isinstance(pair, SodiumXKeyPair))


def load_service_keys(settings: Settings) -> ServiceKeys:
    """Read or make the keys that the settings call for.

    Raises:
        SettingsError: with every problem found.
    """
    problems: list[Problem] = []
    server = encryption = None
    retired: list[SodiumXKeyPair] = []
    try:
        server, retired = _server_xkeys(settings)
    except SettingsError as error:
        problems.extend(error.problems)
    if settings.secret_store == NATS_KV:
        try:
            encryption = load_encryption_xkey(settings)
        except SettingsError as error:
            problems.extend(error.problems)
    if server is None or problems:
        raise SettingsError(*problems)
    retired += [
        SodiumXKeyPair.from_seed(seed.get_secret_value())
        for seed in settings.server_xkey_retired_seeds
    ]
    # While files are swapped one key may be read twice, and each costs every alien body a try.
    others = {pair.public: pair for pair in retired if pair.public != server.public}
    return ServiceKeys(KeyRing(server, tuple(others.values())), encryption)


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


def _server_xkeys(settings: Settings) -> tuple[SodiumXKeyPair, list[SodiumXKeyPair]]:
    """Return the announced key, and those of the files that a rotation puts beside its own."""
    path = settings.server_xkey_seed_file
    # In this order no swap of the files can hide a key: see `bootstrap.seed_rotation`.
    coming = None if path is None else _beside(next_of(path))
    pair = _from_settings("SERVER_XKEY_SEED_FILE", settings.server_xkey_seed, path)
    if pair is not None:
        former = None if path is None else _beside(retired_of(path))
        return pair, [other for other in (coming, former) if other is not None]
    pair = SodiumXKeyPair.generate()
    _log.warning(
        "server_xkey.generated",
        server_xkey=pair.public,
        meaning="Hosts keep the first key they see, so those already running cannot be served "
        "until they are restarted, and no second replica can start.",
        advice="Set SERVER_XKEY_SEED_FILE or SERVER_XKEY_SEED.",
    )
    return pair, []


def _beside(path: Path) -> SodiumXKeyPair | None:
    setting = f"SERVER_XKEY_SEED_FILE ({path.suffix})"
    return _read_pair(setting, lambda: read_seed(path))


def _from_settings(
    file_setting: str, seed: SecretStr | None, path: Path | None
) -> SodiumXKeyPair | None:
    if seed is not None:
        return SodiumXKeyPair.from_seed(seed.get_secret_value())
    if path is None:
        return None
    return _read_pair(
        file_setting,
        lambda: read_or_create_seed(path, lambda: SodiumXKeyPair.generate().seed_text()),
    )


def _read_pair(file_setting: str, read: Callable[[], SeedText | None]) -> SodiumXKeyPair | None:
    try:
        found = read()
        if found is None:
            return None
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
