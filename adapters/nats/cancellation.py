"""Telling a cancellation of this task from everything that only looks like one, or hides one."""

from adapters.system.cancelling import honour_cancellation

__all__ = ["honour_cancellation"]
