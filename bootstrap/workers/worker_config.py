"""What a worker is given: the configuration, with seeds in the place of the files they came from.

It goes over a socket that only the two processes hold: a command line is shown in process lists,
and a file or variable would outlive its reader.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.metrics.catalogue import WorkerEnd
from bootstrap.settings import Configuration, Settings, SettingsError
from bootstrap.settings.configuration import ChosenStore, ChosenTransport
from bootstrap.settings.plugins import Registry
from bootstrap.workers.restart_history import RestartHistory
from ports.settings import Problem, problems_of

if TYPE_CHECKING:
    from domain.use_cases.key_ring import KeyRing
    from ports.key_exchange import XKeyPair
    from ports.settings import SettingsGroup


def with_keys(configuration: Configuration, keys: KeyRing) -> Configuration:
    """Return a configuration that gives every worker these keys, a generated one included.

    What the plug-ins read from files once is read here, for all workers.

    Raises:
        SettingsError: a file cannot be used.
    """
    update: dict[str, object] = {
        "server_xkey_seed": _seed(keys.current),
        "server_xkey_seed_file": None,
        "server_xkey_retired_seeds": tuple(_seed(pair) for pair in keys.retired),
    }
    return replace(
        configuration,
        service=configuration.service.model_copy(update=update),
        store=configuration.store.resolved(),
        transport=configuration.transport.resolved(),
    )


def config_of(configuration: Configuration, history: RestartHistory) -> Configuration:
    """Return the configuration of one worker; the admin HTTP of worker N is N ports further on."""
    update: dict[str, object] = {"workers": 1}
    if (shared := configuration.service.admin_address) is not None:
        update["admin_addr"] = str(replace(shared, port=shared.port + history.number))
    service = configuration.service.model_copy(update=update)
    return replace(configuration, service=service, history=history)


def write_config(configuration: Configuration) -> bytes:
    """Return it as one line, secrets in clear."""
    history = configuration.history
    document = {
        "service": _given(configuration.service),
        "store": _given(configuration.store.settings),
        "transport": _given(configuration.transport.settings),
        "workers": configuration.workers,
        "worker": history.number,
        "ends": dict(history.ends),
    }
    return json.dumps(document, default=_plain).encode("ascii") + b"\n"


def read_config(line: bytes, registry: Registry | None = None) -> Configuration:
    """Read what `write_config` wrote; neither the environment nor a `.env` file changes it.

    Raises:
        SettingsError: something no longer holds, such as that a file exists.
    """
    known = Registry() if registry is None else registry
    document = json.loads(line)
    problems: list[Problem] = []
    try:
        service = Settings.model_validate(document["service"])
        store, transport = known.store(service.secret_store), known.transport(service.transport)
        ends = {WorkerEnd(end): count for end, count in document["ends"].items()}
        return Configuration(
            service,
            ChosenStore(store, store.settings.model_validate(document["store"])),
            ChosenTransport(transport, transport.settings.model_validate(document["transport"])),
            document["workers"],
            RestartHistory(document["worker"], ends),
        )
    except ValidationError as error:
        problems = problems_of(error)
    # Raised out here: pydantic's error keeps the values it was given.
    raise SettingsError(*problems)


def _given(settings: SettingsGroup) -> dict[str, Any]:
    # What was not set is left out: rules on what is set together would count it as set.
    return {
        name: value
        for name in settings.model_fields_set
        if (value := getattr(settings, name)) not in (None, ())
    }


def _seed(pair: XKeyPair) -> SecretStr:
    if not isinstance(pair, SodiumXKeyPair):
        raise TypeError("only keys that come from seeds can be handed over")
    return SecretStr(pair.seed_text())


def _plain(value: Any) -> Any:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case SecretBytes():
            return value.get_secret_value().decode()
        case BaseModel():
            return {name: getattr(value, name) for name in value.model_fields_set}
        case set() | frozenset():
            return list(value)
        case _:
            return str(value)
