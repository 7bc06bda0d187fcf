"""The option `--stream` of the `audit` commands."""

from typing import Annotated

import typer

from adapters.audit.stream_config import AuditStreamConfig


def _stream_name(text: str) -> str:
    """Return a stream's name.

    Raises:
        ValueError: no stream can have it.
    """
    try:
        AuditStreamConfig(stream=text)
    except ValueError:
        pass
    else:
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
