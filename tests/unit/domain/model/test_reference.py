"""Which places share a folder."""

from __future__ import annotations

import pytest

from domain.model.reference import SecretLocation

PROD, DEV = (("environment", "prod"),), (("environment", "dev"),)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (SecretLocation("/payments/TOKEN", PROD), True),
        (SecretLocation("/payments/API_KEY", PROD, encoding="base64"), True),
        (SecretLocation("/payments/API_KEY", DEV), False),
        (SecretLocation("/payments/live/API_KEY", PROD), False),
        (SecretLocation("/API_KEY", PROD), False),
    ],
)
def test_a_folder_is_known_by_its_path_and_its_scope(other: SecretLocation, same: bool) -> None:
    assert (SecretLocation("/payments/API_KEY", PROD).folder == other.folder) is same
