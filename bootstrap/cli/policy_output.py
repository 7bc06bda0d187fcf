"""What the `policy` commands share: reading the policy file."""

from pathlib import Path

from adapters.access_policy.document import PolicyDocument
from adapters.access_policy.file import read_policy_file
from adapters.access_policy.problems import AccessPolicyError
from bootstrap.cli.reporting import failure
from bootstrap.cli.terminal import warn


def load(path: Path, exit_code: int) -> PolicyDocument:
    """Read a policy file, or say what is wrong in it and end with that exit code."""
    try:
        return read_policy_file(path)
    except AccessPolicyError as error:
        problems = error.problems
    for problem in problems:
        warn(str(problem))
    count = "one mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    raise failure(f"{path} has {count}.", exit_code)
