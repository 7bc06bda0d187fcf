"""What the `policy` commands share: reading the policy file, and talking to a person."""

from pathlib import Path

from rich.console import Console

from adapters.access_policy.document import PolicyDocument
from adapters.access_policy.file import read_policy_file
from adapters.access_policy.mistakes import AccessPolicyError
from bootstrap.cli.reporting import failure


def load(path: Path, exit_code: int) -> PolicyDocument:
    """Read a policy file, or say what is wrong in it and end with that exit code."""
    try:
        return read_policy_file(path)
    except AccessPolicyError as error:
        mistakes = error.mistakes
    for mistake in mistakes:
        warn(str(mistake))
    count = "one mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    raise failure(f"{path} has {count}.", exit_code)


def say(text: str) -> None:
    """Print to standard output, as it is."""
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


def warn(text: str) -> None:
    """Print to standard error, as it is."""
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
