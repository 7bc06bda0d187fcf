"""All accounts and users of one set-up, with fresh keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.nats_auth import roles
from adapters.nats_auth.roles import account_name
from adapters.nats_auth.tokens import (
    Export,
    Import,
    account_token,
    activation_token,
    operator_token,
    user_token,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.nats_auth.roles import Names, Permissions

SYSTEM, SECRETS, OPERATORS = "SYS", "SECRETS", "OPERATORS"


@dataclass(frozen=True, slots=True)
class User:
    """One login."""

    name: str
    account: str
    key: SigningKey
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """One account."""

    name: str
    key: SigningKey
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that `nats-auth init` writes down."""

    operator: SigningKey
    operator_token: str = field(repr=False)
    accounts: tuple[Account, ...]
    users: tuple[User, ...]

    @property
    def system_account(self) -> Account:
        """The account of the servers themselves; no user logs in to it."""
        return self.accounts[0]


def new_setup(names: Names, now: int) -> Setup:
    """Draw keys and sign every token. `now`: seconds since the epoch, written into the tokens; none
    expires.
    """
    operator = SigningKey.generate(KeyKind.OPERATOR)
    system, secrets, operators = (SigningKey.generate(KeyKind.ACCOUNT) for _ in range(3))
    people = exports_for_people(names)
    exports = (*map(Export, names.asked), *people)
    imports = _imports(secrets, operators, people, now)
    accounts = [
        Account(SYSTEM, system, account_token(operator, system.public, SYSTEM, now)),
        Account(
            SECRETS,
            secrets,
            account_token(operator, secrets.public, SECRETS, now, exports=exports, jetstream=True),
        ),
        Account(
            OPERATORS,
            operators,
            account_token(operator, operators.public, OPERATORS, now, imports=imports),
        ),
    ]
    users = [
        _user("service", SECRETS, secrets, roles.service(names), now),
        _user("operator", OPERATORS, operators, roles.operator(names), now),
        _user("auditor", OPERATORS, operators, roles.auditor(names), now),
    ]
    for lattice in names.lattices:
        account, own = new_lattice(names, lattice, operator, secrets, now)
        accounts.append(account)
        users += own
    signed = operator_token(operator, "wasmcloud-secrets", system.public, now)
    return Setup(operator, signed, tuple(accounts), tuple(users))


def new_lattice(
    names: Names, lattice: str, operator: SigningKey, secrets: SigningKey, now: int
) -> tuple[Account, tuple[User, User]]:
    """Make a lattice's account with the users of its hosts and of its own tools.

    Args:
        operator: signs the account.
        secrets: the service's account, which lets it import the two subjects that hosts ask on.
    """
    name, key = account_name(lattice), SigningKey.generate(KeyKind.ACCOUNT)
    imports = _imports(secrets, key, map(Export, names.asked), now, share=True)
    token = account_token(operator, key.public, name, now, imports=imports, jetstream=True)
    return Account(name, key, token), (
        _user(f"host-{lattice}", name, key, roles.host(names, lattice), now),
        _user(f"lattice-{lattice}", name, key, roles.lattice_user(names), now),
    )


def _user(name: str, account: str, signer: SigningKey, permissions: Permissions, now: int) -> User:
    key = SigningKey.generate(KeyKind.USER)
    return User(name, account, key, user_token(signer, key.public, name, permissions, now))


def _imports(
    exporter: SigningKey,
    importer: SigningKey,
    exports: Iterable[Export],
    now: int,
    *,
    share: bool = False,
) -> tuple[Import, ...]:
    return tuple(
        Import(
            export.subject,
            exporter.public,
            activation_token(exporter, importer.public, export, now),
            export.kind,
            roles.jetstream_of_people(export.subject),
            share=share,
        )
        for export in exports
    )


def exports_for_people(names: Names) -> tuple[Export, ...]:
    """What the service's account lets the account of people use; their users say who of them.

    JetStream answers wherever a request asks it to, past the permissions of its sender, but only
    within the sender's account: so people have one of their own.
    """
    streams = (f"KV_{names.bucket}", *names.audit_streams)
    return (
        Export(f"$KV.{names.bucket}.>"),
        *(
            Export(f"{roles.JETSTREAM}.STREAM.{call}.{stream}")
            for stream in streams
            for call in ("INFO", "MSG.GET")
        ),
        Export(names.control("flush"), streams_replies=True),
        Export(names.changed, kind="stream"),
    )
