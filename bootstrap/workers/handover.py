"""What a worker is given: the settings, with seeds in the place of the files they came from.

Beside them stands how those before it ended, for its metrics.

It goes over a socket that only the two processes hold: a command line is shown in process lists,
and a file or variable would outlive its reader.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, ValidationError
from typing_extensions import override

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.metrics.catalogue import WorkerEnd
from bootstrap.settings import Settings, SettingsError
from bootstrap.settings.group import problem_of
from bootstrap.workers.former_lives import FormerLives

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

    from bootstrap.server_keys import ServiceKeys
    from ports.key_exchange import XKeyPair


@dataclass(frozen=True, slots=True)
class Handover:
    """Everything that one worker begins with."""

    settings: Settings
    former: FormerLives


class _HandedSettings(Settings):
    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def settings_with_keys(settings: Settings, keys: ServiceKeys) -> Settings:
    """Return settings by which every worker has these very keys, generated ones included."""
    update: dict[str, object] = {
        "server_xkey_seed": _seed(keys.server.current),
        "server_xkey_seed_file": None,
        "server_xkey_retired_seeds": tuple(_seed(pair) for pair in keys.server.retired),
    }
    if keys.encryption is not None:
        update |= {
            "encryption_xkey_seed": _seed(keys.encryption),
            "encryption_xkey_seed_file": None,
        }
    return settings.model_copy(update=update)


def settings_of(settings: Settings, number: int) -> Settings:
    """Return those of one process.

    The admin HTTP of worker N listens N ports further on. What Infisical may be asked in a minute
    is shared out, to the first workers what is left over, but one read to each at least.
    """
    update: dict[str, object] = {"workers": 1}
    if (reads := settings.infisical_max_requests_per_minute) is not None:
        share, left_over = divmod(reads, settings.workers)
        update["infisical_max_requests_per_minute"] = max(1, share + (number < left_over))
    if (shared := settings.admin_address) is not None:
        update["admin_addr"] = str(replace(shared, port=shared.port + number))
    return settings.model_copy(update=update)


def write_handover(handover: Handover) -> bytes:
    """Return it as one line, secrets in clear."""
    settings, former = handover.settings, handover.former
    # What was not set is left out: rules on what is set together would count it as set.
    given = {
        name: value
        for name in settings.model_fields_set
        if (value := getattr(settings, name)) not in (None, ())
    }
    document = {"settings": given, "worker": former.number, "former_ends": dict(former.ends)}
    return json.dumps(document, default=_plain).encode("ascii") + b"\n"


def read_handover(line: bytes) -> Handover:
    """Read what `write_handover` wrote; neither the environment nor a `.env` file changes it.

    Raises:
        SettingsError: something no longer holds, such as that a file exists.
    """
    document = json.loads(line)
    ends = {WorkerEnd(end): count for end, count in document["former_ends"].items()}
    former = FormerLives(document["worker"], ends)
    try:
        return Handover(_HandedSettings(**document["settings"]), former)
    except ValidationError as error:
        problems = [problem_of(entry) for entry in error.errors(include_url=False)]
    # Raised out here: pydantic's error keeps the values it was given.
    raise SettingsError(*problems)


def _seed(pair: XKeyPair) -> SecretStr:
    if not isinstance(pair, SodiumXKeyPair):
        raise TypeError("only keys that come from seeds can be handed over")
    return SecretStr(pair.seed_text())


def _plain(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
