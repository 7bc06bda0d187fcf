"""Which bucket holds the secrets, how it is created if there is none, and what seals its values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, Field, SecretStr
from typing_extensions import override

from adapters.crypto.seed_file import SeedFileError
from adapters.crypto.xkey_file import configured_xkey, seed_file_problem
from adapters.system.setting_types import Text, XKeySeed
from ports.plugin import PluginError
from ports.settings import Problem, SettingsGroup, both_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.crypto.xkeys import SodiumXKeyPair

DEFAULT_BUCKET: Final = "WASMCLOUD_SECRETS"
"""The bucket that wasmCloud's own secrets-nats-kv uses."""

MAX_HISTORY: Final = 64
"""The most revisions of a key that a NATS KV bucket can keep (ADR-8)."""

MAX_REPLICAS: Final = 5
"""The most servers that can hold one JetStream stream."""

_FILE: Final = "ENCRYPTION_XKEY_SEED_FILE"
_BUCKET = re.compile(r"[a-zA-Z0-9_-]+")


def _bucket(name: str) -> str:
    if not _BUCKET.fullmatch(name):
        raise ValueError('must hold only letters, digits, "_" and "-".')
    return name


class NatsKvSettings(SettingsGroup):
    """Used when SECRET_STORE is nats-kv. A bucket that exists keeps its shape."""

    prefix: ClassVar[str] = "NATS_KV_"

    create_bucket: ClassVar[bool] = True
    """Whether the bucket is created if there is none."""
    create_seed_file: ClassVar[bool] = True
    """Whether the file of the encryption xkey is created if there is none."""
    direct: ClassVar[bool] = True
    """Whether values are read from any server that holds the bucket, where it allows that. Such an
    answer is the message as it was stored, sent wherever the request asks for: an operator who
    stores secrets could have their messages published anywhere in the account."""
    operation_seconds: ClassVar[float] = 10.0
    """How long a check or a command may take. Requests bring their deadline."""

    bucket: Annotated[Text, AfterValidator(_bucket)] = Field(
        default=DEFAULT_BUCKET, description="Bucket that holds the sealed secrets."
    )
    history: int = Field(
        default=MAX_HISTORY,
        ge=1,
        le=MAX_HISTORY,
        description="Versions kept of each secret if the bucket is created.",
    )
    replicas: int = Field(
        default=1,
        ge=1,
        le=MAX_REPLICAS,
        description="Servers that each hold the bucket if it is created.",
    )
    encryption_xkey_seed: XKeySeed | None = Field(
        default=None,
        validation_alias="ENCRYPTION_XKEY_SEED",
        description="Seed (`SX…`) of the xkey that seals stored secrets. This or the file is "
        "required for NATS KV.",
    )
    encryption_xkey_seed_file: Path | None = Field(
        default=None,
        validation_alias="ENCRYPTION_XKEY_SEED_FILE",
        description="File that holds that seed; created if it does not exist.",
    )

    def encryption_xkey(self) -> SodiumXKeyPair:
        """Return the xkey that stored values are sealed with.

        Raises:
            PluginError: the file cannot be used.
        """
        advice = "is not set; the store nats-kv needs it."
        try:
            pair = configured_xkey(
                _FILE,
                self.encryption_xkey_seed,
                self.encryption_xkey_seed_file,
                create=self.create_seed_file,
            )
        except SeedFileError as error:
            pair, advice = None, str(error)
        if pair is None:
            raise PluginError(advice, setting=_FILE)
        return pair

    @override
    def resolved(self) -> Self:
        seed = SecretStr(self.encryption_xkey().seed_text())
        return self.model_copy(
            update={"encryption_xkey_seed": seed, "encryption_xkey_seed_file": None}
        )

    @override
    def unusable(self) -> Iterable[Problem]:
        path = self.encryption_xkey_seed_file
        if path is not None and (advice := seed_file_problem(path)) is not None:
            yield Problem(_FILE, advice)

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        seeds = ("encryption_xkey_seed", "encryption_xkey_seed_file")
        yield from both_set(given, *seeds)
        if not given.keys() & set(seeds):
            yield Problem(
                "ENCRYPTION_XKEY_SEED",
                "is not set: give the seed (SX…) that stored secrets are sealed with, or a place "
                "for it in ENCRYPTION_XKEY_SEED_FILE, or choose another SECRET_STORE.",
            )
