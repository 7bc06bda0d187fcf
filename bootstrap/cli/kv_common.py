"""What the `kv` commands share: an open bucket, and how they end when they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from adapters.nats_kv.writer import OtherKeyError, VersionConflictError
from bootstrap.cli.reporting import FAILED, MISUSED, failure, guarded_run
from domain.model.errors import InvalidRequest, SecretsError
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from adapters.nats_kv.catalog import NatsKvCatalog
    from adapters.nats_kv.store import NatsKvSecretStore
    from adapters.nats_kv.writer import NatsKvSecretWriter

_Result = TypeVar("_Result")

Key = Annotated[str, typer.Argument(metavar="KEY", help="Such as API_KEY or payments/API_KEY.")]


def open_kv(
    *, create_bucket: bool
) -> AbstractAsyncContextManager[tuple[NatsKvSecretStore, NatsKvSecretWriter]]:
    """Read the settings, and open the bucket with the encryption xkey."""
    from bootstrap.cli import kv_session  # noqa: PLC0415  loaded once a command needs it

    return kv_session.open_kv(create_bucket=create_bucket)


def open_catalog() -> AbstractAsyncContextManager[NatsKvCatalog]:
    """Read the settings, and open the bucket without any key."""
    from bootstrap.cli import kv_session  # noqa: PLC0415  as above

    return kv_session.open_catalog()


def values_run(
    command: Callable[[NatsKvSecretStore, NatsKvSecretWriter], Awaitable[_Result]],
    *,
    create_bucket: bool = False,
) -> _Result:
    """Run what reads or writes values, and so needs the key."""

    async def work() -> _Result:
        async with open_kv(create_bucket=create_bucket) as (reader, writer):
            return await command(reader, writer)

    return _run(work)


def catalog_run(command: Callable[[NatsKvCatalog], Awaitable[_Result]]) -> _Result:
    """Run what needs no key."""

    async def work() -> _Result:
        async with open_catalog() as catalog:
            return await command(catalog)

    return _run(work)


def _run(work: Callable[[], Coroutine[None, None, _Result]]) -> _Result:
    """Run a command, and say what only the bucket refuses in one line."""

    async def known() -> _Result:
        code = FAILED
        try:
            return await work()
        except (StoreMisconfiguredError, InvalidRequest) as error:
            advice, code = str(error), MISUSED
        except OtherKeyError as error:
            advice = f"{error} --force stores the value all the same."
        except (SecretsError, VersionConflictError, StoreUnreachableError) as error:
            advice = str(error)
        raise failure(advice, code)

    return guarded_run(known)
