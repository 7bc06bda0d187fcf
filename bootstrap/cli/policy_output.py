"""What the `policy` commands share: reading the policy file."""

from dataclasses import asdict
from pathlib import Path

from adapters.access_policy.document import PolicyDocument
from adapters.access_policy.file import read_policy_file
from adapters.access_policy.problems import AccessPolicyError, UnreadablePolicyError
from bootstrap.cli.reporting import MISUSED, failure
from bootstrap.cli.terminal import printable, warn, write_json


def load(path: Path, exit_code: int, *, as_json: bool = False) -> PolicyDocument:
    """Read a policy file, or say what is wrong in it and end with that exit code.

    Args:
        exit_code: of a file with mistakes; one that cannot be read ends with 2.
        as_json: write the mistakes to standard output as JSON, too.
    """
    try:
        return read_policy_file(path)
    except AccessPolicyError as error:
        problems, unreadable = error.problems, isinstance(error, UnreadablePolicyError)
    if as_json:
        write_json({"mistakes": [asdict(problem) for problem in problems]})
    if unreadable:
        raise failure(f"{printable(str(path))}: {problems[0]}.", MISUSED)
    for problem in problems:
        warn(str(problem))
    count = "one mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    raise failure(f"{path} has {count}.", exit_code)
