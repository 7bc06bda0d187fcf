"""An xkey from settings: its seed as it is, or in a file that is made when there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from adapters.crypto.seed_file import SeedFileError, place_problem, read_or_create_seed, read_seed
from adapters.crypto.xkeys import SodiumXKeyPair
from domain.model.errors import InvalidXKey

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

    from adapters.crypto.seed_file import SeedText

_MISSING: Final = (
    "names a file that does not exist. Check the path; only `serve` creates the file, and `keys "
    "generate xkey --out FILE`."
)
_NO_SEED: Final = "names a file that holds no xkey seed; it must hold the 58 characters SX…."

_log = structlog.get_logger()


def configured_xkey(
    setting: str, seed: SecretStr | None, path: Path | None, *, create: bool = True
) -> SodiumXKeyPair | None:
    """Return the key pair of a seed, or of a file.

    Args:
        setting: the variable that names the file, for logs.
        seed: a checked seed.
        path: used where there is no seed.
        create: make the file if it does not exist, as only the service itself does: what a
            command seals with a new key the service cannot open.

    Raises:
        SeedFileError: the file cannot be used.
    """
    if seed is not None:
        return SodiumXKeyPair.from_seed(seed.get_secret_value())
    if path is None:
        return None
    if create:
        made = read_or_create_seed(path, lambda: SodiumXKeyPair.generate().seed_text())
        return _told_of(setting, made)
    found = xkey_in(setting, path)
    if found is None:
        raise SeedFileError(_MISSING)
    return found


def xkey_in(setting: str, path: Path) -> SodiumXKeyPair | None:
    """Return the key pair in a file; None if there is no such file.

    Raises:
        SeedFileError: the file cannot be used.
    """
    found = read_seed(path)
    return None if found is None else _told_of(setting, found)


def seed_file_problem(path: Path) -> str | None:
    """Return what keeps an xkey's seed file from being used, or from being made; None if nothing.

    Nothing is made or logged.
    """
    try:
        found = read_seed(path)
        if found is None:
            return place_problem(path)
        _pair(found)
    except SeedFileError as error:
        return str(error)
    return None


def _pair(found: SeedText) -> SodiumXKeyPair:
    try:
        return SodiumXKeyPair.from_seed(found.text)
    except InvalidXKey:
        pass
    raise SeedFileError(_NO_SEED)


def _told_of(setting: str, found: SeedText) -> SodiumXKeyPair:
    """Return the pair, and have the log say what an operator should know of its file."""
    pair = _pair(found)
    if found.created:
        _log.warning(
            "seed_file.created",
            setting=setting,
            public_key=pair.public,
            meaning="The file did not exist, so a new key was made: nothing that was sealed "
            "with another key opens with it.",
            advice="If there should have been a file, stop the service and check the path; "
            "otherwise keep a copy of the new one.",
        )
    if found.open_to_others:
        _log.warning(
            "seed_file.open_to_others",
            setting=setting,
            advice="Other users of this machine can read it; set the file's mode to 0600.",
        )
    return pair
