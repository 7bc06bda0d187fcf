"""Every reason that the audit trail can give, with its errors and advice, as the code has them.

A reason stands beside its advice: in the call that makes the error, or in a table of such pairs.
"""

from __future__ import annotations

import ast
import importlib
from collections import defaultdict
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from adapters.access_policy.explain import ADVICE
from adapters.upstream.config import UpstreamConfig
from adapters.upstream.engine import Failure
from adapters.upstream.failures import foreign_answer, transport_error
from domain.model import own_lateness
from domain.model.errors import REQUEST_ERRORS, KeyProbe, SecretsError
from domain.use_cases import answer_request, authenticate_caller
from tests.unit.docs.documents import ROOT, nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from types import ModuleType

STORES: Final = {"infisical": "Infisical", "kubernetes": "Kubernetes", "vault": "Vault"}
"""Of the stores behind HTTP: what their reasons begin with, and their names."""

ANSWERED: Final = {
    "any_valid_entity": "no rules are set, so any valid signature is trusted: set "
    "ACCESS_POLICY_FILE or TRUSTED_ISSUERS",
    "cancelled": "the service stopped before the request ended; the host asks again",
    "granted": ADVICE["granted"],
    "key_probe": "nothing: keys rotate asked whether the request can be opened",
    "public": "nothing: every client may have the server's public xkey",
    "trusted_issuer": "the token's issuer is one of TRUSTED_ISSUERS",
}
"""Of requests that no error ended."""

_BY_HAND: Final = {
    "credentials_unreadable": "a file of Vault's credentials is gone, empty or unreadable; write "
    "it again",
    "infisical_credentials_unreadable": "the file that INFISICAL_CLIENT_SECRET_FILE names is gone, "
    "empty or unreadable; write it again, it is read again every second",
    "kubernetes_token_unreadable": "the file of the service account's token is gone, empty or "
    "unreadable; mount it again",
}
"""Of errors whose advice is put together where the fault is found."""

_NOT_OF_REQUESTS: Final = frozenset(
    {
        *(
            "domain/model/selection.py",
            "adapters/nats_kv/operating.py",
            "adapters/nats_kv/operating.py",
        ),
        *("adapters/nats_kv/check.py", "domain/model/own_lateness.py"),
        *("adapters/upstream/failures.py", "adapters/infisical/webhook.py"),
    }
)
"""What these say is for commands and checks; or it is asked for below, by calling them."""

_SHORTEST_ADVICE: Final = 15

Found = dict[str, tuple[set[str], dict[str, None]]]


@cache
def reasons_in_code() -> Mapping[str, tuple[list[str], list[str]]]:
    """Return every reason with the names of its errors on the wire, and its advice."""
    found: Found = defaultdict(lambda: (set(), {}))
    for path in _sources():
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for node in nodes(path):
            for reason, error, advice in _pairs(node, module):
                _add(found, reason, error, advice)
    for reason, error, advice in _elsewhere():
        _add(found, reason, error, advice)
    return {reason: (sorted(errors), list(texts)) for reason, (errors, texts) in found.items()}


def _sources() -> Iterable[Path]:
    paths = chain.from_iterable((ROOT / part).rglob("*.py") for part in ("domain", "adapters"))
    return sorted(
        path for path in paths if path.relative_to(ROOT).as_posix() not in _NOT_OF_REQUESTS
    )


def _add(found: Found, reason: str, error: str, advice: str) -> None:
    if "…" in reason:
        return
    errors, texts = found[reason]
    if error:
        errors.add(error)
    text = advice[:1].upper() + advice[1:]
    texts[text if text.endswith(".") else f"{text}."] = None


def _elsewhere() -> Iterator[tuple[str, str, str]]:
    for reason, advice in ADVICE.items():
        if reason not in ANSWERED:
            yield reason, "Unauthorized", advice
    for reason, advice in ANSWERED.items():
        yield reason, "", advice
    for reason, advice in _BY_HAND.items():
        yield reason, "UpstreamError", advice
    late = own_lateness.starved(2.5, 10)
    yield (
        late.reason,
        "UpstreamError",
        late.advice.replace("2.5", "…").replace("10 seconds its", "… seconds its"),
    )
    for reason, advice in answer_request._REFUSALS.items():
        yield reason, "Other", advice
    tokens = {**authenticate_caller._ADVICE, "bad_token": authenticate_caller._BAD_TOKEN}
    for reason, advice in tokens.items():
        yield reason, "InvalidEntityJWT", f"A token is refused: {advice}"
        yield reason, "InvalidHostJWT", f"A token is refused: {advice}"
    for code, name in STORES.items():
        upper = code.upper()
        config = UpstreamConfig(name, code, "https://store", f"{upper}_…", f"{upper}_…")
        errors = [transport_error(failure, config) for failure in Failure]
        errors += [foreign_answer(config, proven=proven) for proven in (True, False)]
        for error in errors:
            yield error.reason, "UpstreamError", error.advice


def _pairs(node: ast.AST, module: ModuleType) -> Iterator[tuple[str, str, str]]:
    match node:
        case ast.Call() if (kind := _kind(node.func, module)) is not None:
            given = [word.value for word in node.keywords if word.arg == "reason"]
            reasons = _texts(given[0], module) if given else [kind.default_reason]
            advice = _texts(node.args[0], module) if node.args else []
            if kind is KeyProbe or advice == [""]:
                return
            error = _wire_name(kind)
            if _is_same_choice(node.args[0] if node.args else None, given):
                yield from ((r, error, text) for r, text in zip(reasons, advice, strict=True))
            else:
                yield from ((r, error, text) for r in reasons for text in advice)
        case ast.Dict():
            for key, value in zip(node.keys, node.values, strict=True):
                if key is not None and isinstance(value, ast.Call):
                    yield from _row([key, *value.args], module)
        case ast.Tuple():
            yield from _row(node.elts, module)
        case ast.Call():
            yield from _row(node.args, module)
        case _:
            return


def _is_same_choice(advice: ast.expr | None, reasons: list[ast.expr]) -> bool:
    """Say whether one condition chooses both."""
    match advice, reasons:
        case ast.IfExp(test=one), [ast.IfExp(test=other)]:
            return ast.unparse(one) == ast.unparse(other)
        case _:
            return False


def _row(cells: list[ast.expr], module: ModuleType) -> Iterator[tuple[str, str, str]]:
    """Read one row of a table that has a reason, its advice and perhaps the error."""
    reasons = [text for cell in cells if _is_reason(cell) for text in _texts(cell, module)]
    kinds = [kind for cell in cells if (kind := _kind(cell, module)) is not None]
    error = _wire_name(kinds[0]) if kinds else "UpstreamError"
    texts = chain.from_iterable(_texts(cell, module) for cell in cells if not _is_reason(cell))
    for text in texts:
        if len(text) >= _SHORTEST_ADVICE and " " in text:
            yield from ((reason, error, text) for reason in reasons)


def _is_reason(cell: ast.expr) -> bool:
    return isinstance(cell, ast.Attribute) and (
        ast.unparse(cell.value) == "reasons" or cell.attr == "default_reason"
    )


def _kind(node: ast.expr, module: ModuleType) -> type[SecretsError] | None:
    value = _value(node, module)
    return value if isinstance(value, type) and issubclass(value, SecretsError) else None


def _wire_name(kind: type[SecretsError]) -> str:
    return next((each.wire_name for each in REQUEST_ERRORS if issubclass(kind, each)), "")


def _value(node: ast.expr, module: ModuleType) -> Any:
    match node:
        case ast.Name(id=name):
            return getattr(module, name, None)
        case ast.Attribute(value=inner, attr=name):
            return getattr(_value(inner, module), name, None)
        case _:
            return None


def _texts(node: ast.expr, module: ModuleType) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=one, orelse=other):
            return [*_texts(one, module), *_texts(other, module)]
        case ast.JoinedStr(values=parts):
            return _joined(parts, module)
        case _:
            value = _value(node, module)
            return [value] if isinstance(value, str) else []


def _joined(parts: list[ast.expr], module: ModuleType) -> list[str]:
    texts = [""]
    is_code = not any(isinstance(p, ast.Constant) and " " in str(p.value) for p in parts)
    for part in parts:
        fills = ["…"]
        if isinstance(part, ast.Constant):
            fills = [str(part.value)]
        elif isinstance(part, ast.FormattedValue):
            # A text for a person has one "…", not a text for each store or property.
            written = ast.unparse(part.value)
            fill = _FILLS.get(written, {}).get(module.__name__) if is_code else None
            fills = list(fill or _texts(part.value, module) or _GAPS.get(written, fills))
        texts = [text + fill for text in texts for fill in fills]
    return texts


_GAPS: Final = {"self.prefix": ["…_"]}
"""The beginning of a setting's name, told from a gap between words."""

_CODES: Final = {"adapters.upstream.admission_config": tuple(STORES)}
_PROPERTIES: Final = ("environment", "impersonate", "mount", "namespace", "project_id", "role")
_FILLS: Final[Mapping[str, Mapping[str, Iterable[str]]]] = {
    "config.code": _CODES,
    "self.code": _CODES,
    "name": {
        "adapters.upstream.policy_choices": _PROPERTIES,
        "adapters.vault.addressing": ("mount", "namespace", "role"),
    },
    "known": {"adapters.vault.addressing": ("encoding", "mount", "namespace", "path", "role")},
}
"""What stands in the placeholders of reasons, by module."""
