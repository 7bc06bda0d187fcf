"""What stores open when they are built, with errors that name the setting to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.upstream.http import UpstreamHttp
from adapters.upstream.lockout import LockoutGuard
from adapters.upstream.lockout_file import LockoutFile
from ports.plugin import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adapters.upstream.config import UpstreamConfig
    from adapters.upstream.engine import HttpEngine
    from adapters.upstream.lockout import LockoutConfig
    from adapters.upstream.message import UpstreamResponse
    from ports.store_plugin import StoreContext


def open_http(
    config: UpstreamConfig,
    context: StoreContext,
    is_api_answer: Callable[[UpstreamResponse], bool],
    engine: Callable[[UpstreamConfig], HttpEngine] | None = None,
    *,
    settings: str | None = None,
    advice: str = "must name certificates in PEM form.",
) -> UpstreamHttp:
    """Build the HTTP client of a store; opens no connection.

    Args:
        is_api_answer: as `UpstreamHttp` has it.
        engine: makes what sends the requests; None for the usual one.
        settings: names those of the certificates; None for the configuration's alone.
        advice: what these must be.

    Raises:
        PluginError: a certificate file cannot be used.
    """
    try:
        return UpstreamHttp(
            config,
            context.clock,
            context.jitter,
            is_api_answer=is_api_answer,
            engine=None if engine is None else engine(config),
        )
    except OSError:
        pass
    raise PluginError(advice, setting=settings or config.ca_setting)


def open_guard(
    config: LockoutConfig, path: Path | None, owner: str, setting: str, context: StoreContext
) -> LockoutGuard:
    """Build the guard against lockouts, with what an earlier process left in its file.

    Args:
        path: the file; None for none.
        owner: names the identity in the file.
        setting: the setting that names the file.

    Raises:
        PluginError: the file is another's, or cannot be read.
    """
    file = None if path is None else LockoutFile(path, owner)
    try:
        return LockoutGuard(config, context.clock, context.jitter, file)
    except (OSError, ValueError):
        pass
    raise PluginError(
        "must name a file that this service wrote, or none yet; remove the file.", setting=setting
    )
