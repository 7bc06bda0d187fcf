"""Whether the store can hold what a manifest names, and whether the rules allow it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.model.errors import InvalidRequest, PolicyError
from domain.model.reference import SecretReference

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import TypeAlias

    from adapters.wadm_manifest.model import Component, Manifest, Policy, SecretUse
    from domain.model.reference import SecretLocation
    from ports.store_shape import StoreShape

    Judge: TypeAlias = "Callable[[Question], Verdict]"


@dataclass(frozen=True, slots=True)
class Question:
    """One secret as the service will be asked for it.

    Attributes:
        asker: with whose token the host asks.
        application: the manifest's name.
        properties: the policy's properties, without `backend`.
    """

    asker: Component
    application: str
    use: SecretUse
    location: SecretLocation
    properties: Mapping[str, str]
    backend: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say; `advice` is None where they allow it."""

    advice: str | None = None
    is_known: bool = True


def check_places(
    manifest: Manifest, backends: Collection[str], store: StoreShape, judge: Judge | None
) -> None:
    """Check each secret whose policy names one of these backends, or any if none is given."""
    noted: set[str] = set()
    for use in manifest.uses:
        policy = manifest.policy(use.policy)
        backend = policy.properties.get("backend") if policy is not None else None
        if policy is None or not backend or use.key is None:
            continue
        if backends and backend not in backends:
            continue
        location = _locate(use, use.key, policy, store, noted)
        asker = manifest.asker(use)
        if judge is not None and asker is not None and location is not None:
            verdict = judge(Question(asker, manifest.name, use, location, policy.sent, backend))
            if verdict.advice is not None and verdict.is_known:
                use.reader.error("refused_by_rules", verdict.advice)
            elif verdict.advice is not None:
                use.reader.warning("not_judged", verdict.advice)


def _locate(
    use: SecretUse, key: str, policy: Policy, store: StoreShape, noted: set[str]
) -> SecretLocation | None:
    try:
        if use.version is not None:
            store.check_version(use.version)
        return store.locate(SecretReference(key, policy.sent))
    except InvalidRequest as error:
        use.reader.error(error.reason, error.advice)
    except PolicyError as error:
        if policy.name not in noted:
            noted.add(policy.name)
            _note_properties(key, policy, store, error)
    return None


def _note_properties(key: str, policy: Policy, store: StoreShape, error: PolicyError) -> None:
    """Note at each property what is wrong with it by itself, else at the policy."""
    found = False
    for name, text in policy.sent.items():
        try:
            store.locate(SecretReference(key, {name: text}))
        except PolicyError as own:
            policy.readers[name].error(own.reason, own.advice)
            found = True
        except InvalidRequest:
            pass
    if not found:
        policy.reader.error(error.reason, error.advice)
