"""The xkeys that hosts seal their requests for: from settings, a file, or generated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from adapters.crypto.control_messages import PURPOSE
from adapters.crypto.seed_file import SeedFileError
from adapters.crypto.xkey_file import configured_xkey, xkey_in
from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.closing import ServiceFailedError
from bootstrap.seed_rotation import next_of, retired_of
from bootstrap.settings import Problem, SettingsError
from domain.model.transport import Operation
from domain.use_cases.check_replicas import ReplicaXKey, check_replicas
from domain.use_cases.key_ring import KeyRing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.settings import Settings
    from ports.key_exchange import KeyExchange
    from ports.transport_plugin import TransportParts


_FILE: Final = "SERVER_XKEY_SEED_FILE"
_log = structlog.get_logger()

_REPLICA_SECONDS: Final = 2.0


def load_server_keys(settings: Settings) -> KeyRing:
    """Read or generate the server's keys: the announced one, and those still opened.

    Raises:
        SettingsError: a file cannot be used.
    """
    keys = list(_keys(settings))
    server = keys[0]
    # While files are swapped one key may be read twice, and each costs every foreign body a try.
    others = {pair.public: pair for pair in keys if pair.public != server.public}
    return KeyRing(server, tuple(others.values()))


def load_peer_keys(settings: Settings) -> KeyRing:
    """Read the server's keys for a process that serves no host: they authenticate its peers alone.

    Without a configured key it gets one of its own, so that orders of replicas are not taken;
    nothing is made on disk.

    Raises:
        SettingsError: a file cannot be used, or does not exist.
    """
    path = settings.server_xkey_seed_file
    if path is None and settings.server_xkey_seed is None:
        return KeyRing(SodiumXKeyPair.generate(), ())
    if path is not None and not path.exists():
        raise SettingsError(
            Problem(_FILE, "names a file that does not exist; copy the service's, or unset it.")
        )
    return load_server_keys(settings)


def control_keys(keys: KeyRing) -> tuple[bytes, ...]:
    """Return what authenticates the messages of replicas: of the announced key, then the others."""
    return derived_keys(keys, PURPOSE)


def derived_keys(keys: KeyRing, purpose: bytes) -> tuple[bytes, ...]:
    """Return 32 bytes for one purpose from each key, the announced one first."""
    pairs = (keys.current, *keys.retired)
    return tuple(pair.derive(purpose) for pair in pairs if isinstance(pair, SodiumXKeyPair))


def _keys(settings: Settings) -> Iterator[SodiumXKeyPair]:
    """Yield the announced key, those that a rotation puts beside its file, and retired ones."""
    path, beside = settings.server_xkey_seed_file, []
    setting = _FILE
    try:
        # In this order no swap of the files can hide a key: see `bootstrap.seed_rotation`.
        if path is not None:
            setting = f"{_FILE} ({next_of(path).suffix})"
            beside.append(xkey_in(setting, next_of(path)))
        setting = _FILE
        announced = configured_xkey(setting, settings.server_xkey_seed, path)
        if path is not None:
            setting = f"{_FILE} ({retired_of(path).suffix})"
            beside.append(xkey_in(setting, retired_of(path)))
    except SeedFileError as error:
        problem = Problem(setting, str(error))
    else:
        yield announced or _generated()
        yield from (pair for pair in beside if pair is not None)
        for seed in settings.server_xkey_retired_seeds:
            yield SodiumXKeyPair.from_seed(seed.get_secret_value())
        return
    raise SettingsError(problem)


def _generated() -> SodiumXKeyPair:
    pair = SodiumXKeyPair.generate()
    _log.warning(
        "server_xkey.generated",
        server_xkey=pair.public,
        meaning="Hosts keep the first key they see, so those already running cannot be served "
        "until they are restarted, and no second replica can start.",
        advice="Set SERVER_XKEY_SEED_FILE or SERVER_XKEY_SEED.",
    )
    return pair


async def refuse_second_key(
    transport: TransportParts, keys: KeyRing, key_exchange: KeyExchange
) -> None:
    """Ask the other replicas for their server xkey, where the transport can.

    Raises:
        ServiceFailedError: another one announces a key that is none of this one's.
    """
    if transport.channel is None:
        return
    mine = keys.current.public
    match await check_replicas(transport.channel, key_exchange, keys, _REPLICA_SECONDS):
        case ReplicaXKey.DIFFERENT:
            where = transport.address_of(Operation.SERVER_XKEY)
            raise ServiceFailedError(
                f"Another replica answers {where} with another server xkey than this one's "
                f"({mine}). Hosts keep one key and are served by any replica, so requests would "
                "fail at random: give all replicas the same SERVER_XKEY_SEED or "
                "SERVER_XKEY_SEED_FILE, or stop the other replicas first."
            )
        case ReplicaXKey.RETIRED:
            _log.warning(
                "server_xkey.rotating",
                server_xkey=mine,
                meaning="Other replicas still announce a key that is retired here, and cannot "
                "open what is sealed for the new one.",
                advice="Restart them with the same seeds soon.",
            )
        case ReplicaXKey.NONE | ReplicaXKey.SAME:
            pass
