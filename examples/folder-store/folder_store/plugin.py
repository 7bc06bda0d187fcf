"""The plug-in: what the entry point in pyproject.toml names."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from folder_store.settings import FolderSettings
from folder_store.store import FolderCheck, FolderSecretStore, FolderShape
from folder_store.watch import FolderWatch
from wasmcloud_secrets.extension import Sample, StoreParts, StorePlugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wasmcloud_secrets.extension import StoreContext, StoreShape


class FolderPlugin(StorePlugin[FolderSettings]):
    """Registered as `folder`."""

    name: ClassVar[str] = "folder"
    title: ClassVar[str] = "A folder"
    # The version this was written for: not API_VERSION, which is that of the service it runs in.
    api_version: ClassVar[int] = 1
    settings = FolderSettings

    @override
    def warnings(self, settings: FolderSettings) -> Sequence[str]:
        try:
            mode = settings.path.stat().st_mode
        except OSError:
            return ()
        if not mode & stat.S_IWOTH:
            return ()
        return ("Every user may write to FOLDER_STORE_PATH; set its mode to 0750 or stricter.",)

    @override
    def shape(self, given: Mapping[str, str]) -> StoreShape:
        return FolderShape()

    @override
    def build(self, settings: FolderSettings, context: StoreContext) -> StoreParts:
        store = FolderSecretStore(settings.path)

        def samples() -> Iterable[Sample]:
            yield Sample("folder_reads_total", "Files read.", store.reads, kind="counter")

        return StoreParts(
            store,
            FolderCheck(settings.path),
            run=FolderWatch(settings.path, settings.poll_seconds, context).run,
            samples=samples,
            cache_ttl_seconds=30.0,
            announces_changes=True,
        )


PLUGIN: Final = FolderPlugin()
