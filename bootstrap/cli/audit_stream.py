"""The option `--stream` of the `audit` commands."""

from typing import Annotated

import typer

from adapters.audit.stream_names import is_stream_name


def _stream_name(text: str) -> str:
    """Return a stream's name.

    Raises:
        ValueError: no stream can have it.
    """
    if is_stream_name(text):
        return text
    raise ValueError('a stream\'s name holds only letters, digits, "_" and "-"')


Stream = Annotated[
    str,
    typer.Option(
        parser=_stream_name,
        metavar="STREAM",
        help="The stream's name; the one beside it is read as well.",
    ),
]
