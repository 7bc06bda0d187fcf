"""What the `kv` commands share: an open bucket, and how they end when they fail."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar, cast

import typer

from bootstrap.cli.reporting import failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from adapters.nats_kv.operating import Revision
    from domain.model.secret import Secret

_Result = TypeVar("_Result")

Key = Annotated[str, typer.Argument(metavar="KEY", help="Such as API_KEY or payments/API_KEY.")]


class KvReader(Protocol):
    """What the commands need of `adapters.nats_kv.store.NatsKvSecretStore`."""

    async def get(self, key: str, version: str | None = None) -> Secret: ...


class KvWriter(Protocol):
    """What the commands need of `adapters.nats_kv.operating.NatsKvSecretWriter`."""

    created_bucket: bool

    async def put(
        self,
        key: str,
        value: str | bytes,
        expected: str | None = None,
        *,
        any_key: bool = False,
    ) -> str: ...


class KvCatalog(Protocol):
    """What the commands need of `adapters.nats_kv.operating.NatsKvCatalog`."""

    async def history(self, key: str) -> list[Revision]: ...
    async def keys(self, prefix: str = "") -> list[str]: ...
    async def delete(self, key: str, *, keep_history: bool = False) -> None: ...


class Sessions(Protocol):
    """`bootstrap.cli.kv_session`: reads the settings, connects, and closes again at the end.

    Raises SettingsError, NatsConnectError, StoreMisconfiguredError or StoreUnreachableError, each
    with a text for the person at the terminal.
    """

    def open_kv(
        self, *, create_bucket: bool = False
    ) -> AbstractAsyncContextManager[tuple[KvReader, KvWriter]]:
        """Open the bucket with the encryption xkey."""
        ...

    def open_catalog(self) -> AbstractAsyncContextManager[KvCatalog]:
        """Open the bucket without any key."""
        ...


def sessions() -> Sessions:
    """Return `bootstrap.cli.kv_session`, imported only once a command needs it."""
    return cast("Sessions", importlib.import_module("bootstrap.cli.kv_session"))


def values_run(
    command: Callable[[KvReader, KvWriter], Awaitable[_Result]], *, create_bucket: bool = False
) -> _Result:
    """Run what reads or writes values, and so needs the key."""

    async def work() -> _Result:
        async with sessions().open_kv(create_bucket=create_bucket) as (reader, writer):
            return await command(reader, writer)

    return _run(work)


def catalog_run(command: Callable[[KvCatalog], Awaitable[_Result]]) -> _Result:
    """Run what needs no key."""

    async def work() -> _Result:
        async with sessions().open_catalog() as catalog:
            return await command(catalog)

    return _run(work)


def _run(work: Callable[[], Coroutine[None, None, _Result]]) -> _Result:
    """Run a command; whatever goes wrong becomes one line on standard error and an exit code."""
    import asyncio

    try:
        return asyncio.run(work())
    except Exception as error:  # noqa: BLE001  a traceback at the terminal could show a value
        from bootstrap.cli.kv_failures import told

        advice, code = told(error)
    raise failure(advice, code)
