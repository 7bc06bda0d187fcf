"""Permissions and resolver in nats-server's configuration language."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adapters.nats_auth.roles import Permissions
    from adapters.nats_auth.setup import Account, Setup


_END = "}\n"


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
