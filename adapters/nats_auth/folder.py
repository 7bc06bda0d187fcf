"""The folder that holds a set-up: its keys, its logins, and what the servers include.

nats-auth.conf            for the servers; nothing secret
names.json                the names that permissions are made of
creds/USER.creds          a login: the token and the seed
creds/host-LATTICE.jwt    the same for a host that wants two files
creds/host-LATTICE.seed
keys/operator.seed        signs accounts: keep it offline
keys/ACCOUNT.seed         signs users
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.nats_auth.roles import Names, NamesUnusableError, account_name
from adapters.nats_auth.setup import SECRETS, new_lattice
from adapters.nats_auth.tokens import credentials
from adapters.system.files import create_file, read_file, replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from adapters.nats_auth.roles import Permissions
    from adapters.nats_auth.setup import Account, Setup, User

CONFIG, NAMES = "nats-auth.conf", "names.json"
_MAX_BYTES = 1024 * 1024
_FOLDER_MODE, _SECRET_MODE, _PLAIN_MODE = 0o700, 0o600, 0o644

_END = "}\n"


class FolderUnusableError(Exception):
    """The folder cannot be written or read; the text says what to do and holds no key."""


def write_setup(folder: Path, names: Names, setup: Setup) -> None:
    """Write a new folder; an existing file is never touched.

    Raises:
        FolderUnusableError: the folder exists and is not empty, or cannot be written.
    """
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FolderUnusableError(
                f"{folder} is not empty; name a new folder. A set-up is never overwritten: running "
                "servers and hosts rely on its keys."
            )
        for name in ("creds", "keys"):
            (folder / name).mkdir(mode=_FOLDER_MODE)
        _write(folder / "keys" / "operator.seed", setup.operator.seed_text() + "\n")
        _write_keys(folder, setup.accounts)
        _write_logins(folder, setup.users)
        _write(folder / NAMES, json.dumps(asdict(names), indent=2) + "\n", _PLAIN_MODE)
        # Last: a folder without it is not finished.
        _write(folder / CONFIG, resolver_text(setup), _PLAIN_MODE)
    except OSError as error:
        problem = f"{folder} cannot be written ({error.strerror}); check its owner and mode."
        raise FolderUnusableError(problem) from None


def add_lattice(folder: Path, lattice: str, now: int) -> tuple[User, User]:
    """Add a lattice to a folder that `write_setup` wrote; the servers must then read it again.

    Raises:
        FolderUnusableError: it is no such folder, or the lattice is there already.
        NamesUnusableError: the lattice's name cannot stand in a subject.
    """
    names = _read_names(folder)
    for there in names.lattices:
        if account_name(there) == account_name(lattice):
            raise FolderUnusableError(
                f"{folder} has the lattice {there} already, with an account of that name; choose "
                "another."
            )
    names = Names(
        names.prefix, names.backend, names.bucket, names.stream, (*names.lattices, lattice)
    )
    operator = _read_key(folder, "operator", KeyKind.OPERATOR)
    secrets = _read_key(folder, SECRETS, KeyKind.ACCOUNT)
    account, users = new_lattice(names, lattice, operator, secrets, now)
    try:
        text = with_account(_read(folder / CONFIG), account)
        if text is None:
            raise FolderUnusableError(
                f"{folder / CONFIG} was changed by hand; put back what init wrote."
            )
        _write_keys(folder, (account,))
        _write_logins(folder, users)
        new_names = json.dumps(asdict(names), indent=2) + "\n"
        replace_file(folder / NAMES, new_names.encode("utf-8"), _PLAIN_MODE)
        replace_file(folder / CONFIG, text.encode("utf-8"), _PLAIN_MODE)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "no text"
        problem = f"{folder} cannot be used ({why}); check its owner and mode."
        raise FolderUnusableError(problem) from None
    return users


def _read_names(folder: Path) -> Names:
    try:
        document = json.loads(_read(folder / NAMES))
        return Names(**document | {"lattices": tuple(document["lattices"])})
    except NamesUnusableError:
        pass
    except (OSError, ValueError, TypeError, KeyError):
        pass
    raise FolderUnusableError(
        f"{folder / NAMES} cannot be read; name a folder that nats-auth init has written."
    )


def _read_key(folder: Path, name: str, kind: KeyKind) -> SigningKey:
    path = folder / "keys" / f"{name}.seed"
    try:
        return SigningKey.from_seed(_read(path).strip(), kind)
    except (OSError, UnicodeDecodeError, InvalidNKeyError):
        pass
    raise FolderUnusableError(
        f"{path} is missing or no seed; put the key back for this, and take it away again."
    )


def _write_keys(folder: Path, accounts: Iterable[Account]) -> None:
    for account in accounts:
        _write(folder / "keys" / f"{account.name}.seed", account.key.seed_text() + "\n")


def _write_logins(folder: Path, users: Iterable[User]) -> None:
    for user in users:
        creds = folder / "creds"
        _write(creds / f"{user.name}.creds", credentials(user.token, user.key))
        if user.name.startswith("host-"):
            _write(creds / f"{user.name}.jwt", user.token)
            _write(creds / f"{user.name}.seed", user.key.seed_text())


def _write(path: Path, text: str, mode: int = _SECRET_MODE) -> None:
    create_file(path, text.encode("utf-8"), mode)


def _read(path: Path) -> str:
    return read_file(path, _MAX_BYTES).data.decode("utf-8")


def resolver_text(setup: Setup) -> str:
    """Write what nats-server needs to know of a set-up: no secret is in it."""
    preload = "".join(map(_preloaded, setup.accounts))
    return (
        "# Written by wasmcloud-secrets nats-auth init. Use: `include` it in the configuration of\n"
        "# every server of the cluster, beside `jetstream {…}`. Nothing in it is secret.\n"
        f"operator: {setup.operator_token}\n"
        f"system_account: {setup.system_account.key.public}\n"
        "resolver: MEMORY\n"
        f"resolver_preload {{\n{preload}{_END}"
    )


def with_account(text: str, account: Account) -> str | None:
    """Add an account to what `resolver_text` wrote; None if it is no longer of that form."""
    if not text.endswith(f"\n{_END}") or "resolver_preload {" not in text:
        return None
    return f"{text.removesuffix(_END)}{_preloaded(account)}{_END}"


def _preloaded(account: Account) -> str:
    return f"  # {account.name}\n  {account.key.public}: {account.token}\n"


def permissions_text(permissions: Permissions) -> str:
    """Write the `permissions` block of a user."""
    lines = ["permissions {"]
    publish = (permissions.publish, permissions.deny_publish)
    subscribe = (permissions.subscribe, permissions.deny_subscribe)
    for name, (allow, deny) in (("publish", publish), ("subscribe", subscribe)):
        if allow or deny:
            lines.append(f"  {name} {{")
            lines += _list("allow", allow)
            lines += _list("deny", deny)
            lines.append("  }")
    if permissions.allow_responses:
        lines.append("  allow_responses: true")
    return "\n".join((*lines, "}")) + "\n"


def _list(name: str, subjects: Sequence[str]) -> Iterator[str]:
    if subjects:
        yield f"    {name}: ["
        yield from (f"      {json.dumps(subject)}" for subject in subjects)
        yield "    ]"
