"""Memory that the C library keeps for later, given back to the system."""

from __future__ import annotations

import ctypes


def give_back_free_memory() -> None:
    """Return every free page of the C library's heap; does nothing where it is not glibc.

    glibc gives back only what is free at the heap's end: bodies that were freed between others stay
    resident. It takes some milliseconds, and other threads run on meanwhile.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return
    trim(ctypes.c_size_t(0))
