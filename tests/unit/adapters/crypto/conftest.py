"""Property tests here take microseconds an example; a busy machine must not fail them."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
