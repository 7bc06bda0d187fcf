"""A token's times, at the core's own clock."""

from __future__ import annotations

import pytest

from domain.model.identity import AccountKey, Claims, IdentityKind, SubjectKey


@pytest.mark.parametrize(
    ("expires_at", "not_before", "problem"),
    [
        (None, None, None),
        (1000, None, None),
        (996, None, None),
        (995, None, "expired"),
        (0, None, "expired"),
        (None, 1000, None),
        (None, 1005, None),
        (None, 1006, "not_yet_valid"),
        (1001, 999, None),
    ],
)
def test_times_hold_within_the_leeway(
    expires_at: int | None, not_before: int | None, problem: str | None
) -> None:
    claims = Claims(
        IdentityKind.COMPONENT,
        SubjectKey("M"),
        AccountKey("A"),
        "id",
        0,
        expires_at=expires_at,
        not_before=not_before,
    )

    assert claims.time_problem(1000, leeway=5) == problem


@pytest.mark.parametrize(
    ("kind", "issued_at", "problem"),
    [
        (IdentityKind.COMPONENT, 1005, None),
        (IdentityKind.COMPONENT, 1006, "issued_ahead"),
        (IdentityKind.PROVIDER, 2**63, "issued_ahead"),
        (IdentityKind.HOST, 2**63, None),
    ],
)
def test_an_entitys_token_is_not_dated_ahead_of_the_leeway(
    kind: IdentityKind, issued_at: int, problem: str | None
) -> None:
    claims = Claims(kind, SubjectKey("M"), AccountKey("A"), "id", issued_at)

    assert claims.time_problem(1000, leeway=5) == problem
