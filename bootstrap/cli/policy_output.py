"""What the `policy` commands share: reading the policy file."""

from pathlib import Path

from adapters.access_policy.document import PolicyDocument
from adapters.access_policy.file import read_policy_file
from adapters.access_policy.mistakes import AccessPolicyError
from bootstrap.cli.reporting import failure
from bootstrap.cli.terminal import warn


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
