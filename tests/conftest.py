"""What every test needs."""

from __future__ import annotations

from hypothesis import settings

# A property takes microseconds an example; a busy machine must not make it fail.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
