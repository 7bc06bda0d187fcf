"""From the mappings of wasmCloud's secrets-nats-kv to a draft policy.

That backend keeps which entity may read which secrets in the bucket `SECRETS_{name}_state`: the
key is the entity's public key, the value a JSON list of secrets' names (github.com/wasmCloud/
wasmCloud, `crates/secrets-nats-kv/src/api.rs`). It never asked who signed an entity's token.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nats.errors
from nats.js.errors import BucketNotFoundError, KeyNotFoundError, NoKeysError, NotFoundError
from nats.js.errors import Error as JetStreamError

from adapters.access_policy.draft import DraftEntity, DraftGrant, DraftSecrets, quoted, write_draft
from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind, decode_public
from domain.model.errors import InvalidRequest
from domain.model.identity import SubjectKey
from domain.model.key_path import parse_key
from domain.model.strict_json import MalformedJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nats.aio.client import Client
    from nats.js.kv import KeyValue

_BUCKET = re.compile(r"[A-Za-z0-9_-]+")

_HEADER = (
    "A DRAFT, made from the mappings of a secrets-nats-kv backend. They do not tell who signed an",
    "entity's token: replace \"FILL-IN-1\" by a name everywhere and FILL-IN by that account's key",
    "(A…), and add further issuers where there are several. Read every line: that backend's",
    "remove_mapping removed nothing, so secrets that were taken away may still be listed. Then",
    "run: policy check FILE",
)


class MappingsError(Exception):
    """The mappings cannot be read; the text says what to check."""


class BackendNameUnusableError(MappingsError):
    """No backend can have that name."""


def state_bucket(backend: str) -> str:
    """Return the name of the bucket in which a backend of that name keeps its mappings."""
    return f"SECRETS_{backend}_state"


async def read_mappings(client: Client, backend: str) -> dict[str, bytes]:
    """Read all mappings: an entity's key, and the JSON as it is stored.

    Raises:
        MappingsError: there is no such bucket, or NATS does not answer.
    """
    bucket = state_bucket(backend)
    if not _BUCKET.fullmatch(bucket):
        raise BackendNameUnusableError(
            'A backend\'s name holds only letters, digits, "_" and "-"; give the name alone.'
        )
    try:
        store = await client.jetstream().key_value(bucket)
        return await _entries(store)
    except (BucketNotFoundError, NotFoundError):
        advice = (
            f"There is no bucket {bucket}; give the name that the old backend ran under "
            "(--bucket-name), and the NATS account it used."
        )
    except (nats.errors.Error, JetStreamError, OSError):
        advice = (
            f"The bucket {bucket} cannot be read; check that JetStream is on and that this user "
            "may read the bucket's stream."
        )
    raise MappingsError(advice)


def draft_of_mappings(mappings: Mapping[str, bytes]) -> tuple[str, list[str]]:
    """Write a draft of all mappings. Returns the draft, and one line for each thing that was left
    out of it.
    """
    left_out: list[str] = []
    grants = [
        grant
        for subject, stored in sorted(mappings.items())
        if (grant := _grant(subject, stored, left_out)) is not None
    ]
    noted = (f"Left out: {line}" for line in left_out)
    return write_draft((*_HEADER, *noted), grants), left_out


async def _entries(store: KeyValue) -> dict[str, bytes]:
    try:
        keys = await store.keys()
    except NoKeysError:
        return {}
    entries = {}
    for key in keys:
        try:
            entries[key] = (await store.get(key)).value or b""
        except KeyNotFoundError:
            # Removed since the keys were listed.
            continue
    return entries


def _grant(subject: str, stored: bytes, left_out: list[str]) -> DraftGrant | None:
    if not _is_entity(subject):
        left_out.append(f"{quoted(subject)} is no key of a component or provider.")
        return None
    names = _names(stored)
    if names is None:
        left_out.append(f"the value of {subject} is no JSON list of names.")
        return None
    paths = set()
    for name in sorted(names):
        path = _path(name)
        if path is None:
            left_out.append(f"{subject} may read {quoted(name)}, which no rule here can spell.")
        else:
            paths.add(path)
    return DraftGrant(
        DraftEntity(None, SubjectKey(subject)),
        secrets=(DraftSecrets(frozenset(paths)),) if paths else (),
    )


def _is_entity(subject: str) -> bool:
    try:
        return decode_public(subject)[0] in {KeyKind.COMPONENT, KeyKind.PROVIDER}
    except InvalidNKeyError:
        return False


def _names(stored: bytes) -> set[str] | None:
    try:
        listed = parse_json(stored)
    except MalformedJsonError:
        return None
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        return None
    return set(listed)


def _path(name: str) -> str | None:
    """Return the canonical path of a KV key; here a leading slash would name another secret."""
    try:
        parsed = parse_key(name)
    except InvalidRequest:
        return None
    return None if parsed.absolute or "*" in name else f"/{name}"
