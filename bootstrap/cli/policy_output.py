"""What the `policy` commands share: reading the policy file."""

from dataclasses import asdict
from pathlib import Path

from adapters.access_policy.document import PolicyDocument
from adapters.access_policy.file import read_policy_file
from adapters.access_policy.problems import AccessPolicyError
from bootstrap.cli.reporting import failure
from bootstrap.cli.terminal import warn, write_json


def load(path: Path, exit_code: int, *, as_json: bool = False) -> PolicyDocument:
    """Read a policy file, or say what is wrong in it and end with that exit code.

    Args:
        as_json: write the mistakes to standard output as JSON, too.
    """
    try:
        return read_policy_file(path)
    except AccessPolicyError as error:
        problems = error.problems
    if as_json:
        write_json({"mistakes": [asdict(problem) for problem in problems]})
    for problem in problems:
        warn(str(problem))
    count = "one mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    raise failure(f"{path} has {count}.", exit_code)
