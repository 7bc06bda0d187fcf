"""Which place a key and a policy mean, and what they may not choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.infisical.addressing import Addressing
from domain.model.errors import InvalidRequest, PolicyError
from domain.model.reference import SecretLocation, SecretReference
from tests.support.infisical_model import PROJECT_ID

if TYPE_CHECKING:
    from tests.unit.adapters.infisical.conftest import ChangeConfig

SCOPE = (("environment", "prod"), ("project_id", PROJECT_ID))


def locate(
    change_config: ChangeConfig,
    key: str,
    properties: dict[str, str] | None = None,
    **config: Any,
) -> SecretLocation:
    addressing = Addressing.from_settings(change_config(**config))
    return addressing.locate(SecretReference(key, properties or {}))


@pytest.mark.parametrize(
    ("secret_path", "key", "path"),
    [
        ("/", "API_KEY", "/API_KEY"),
        ("/", "payments/API_KEY", "/payments/API_KEY"),
        ("/", "/payments/API_KEY", "/payments/API_KEY"),
        ("/base", "API_KEY", "/base/API_KEY"),
        ("/base/", "payments/API_KEY", "/base/payments/API_KEY"),
        ("/base", "/base/payments/API_KEY", "/base/payments/API_KEY"),
        ("/", "with space", "/with space"),
        ("/", "a?b#c%2Fd", "/a?b#c%2Fd"),
        ("/", "...", "/..."),
    ],
)
def test_a_relative_key_stands_below_the_configured_folder_and_an_absolute_one_by_itself(
    change_config: ChangeConfig, secret_path: str, key: str, path: str
) -> None:
    location = locate(change_config, key, secret_path=secret_path)

    assert location == SecretLocation(path, SCOPE)


@pytest.mark.parametrize("key", ["/API_KEY", "/other/API_KEY", "/basement/API_KEY"])
def test_an_absolute_key_outside_the_configured_folder_is_refused(
    change_config: ChangeConfig, key: str
) -> None:
    with pytest.raises(PolicyError, match="INFISICAL_ALLOWED_PATHS"):
        locate(change_config, key, secret_path="/base")


def test_allowed_paths_replace_the_configured_folder_as_the_bound(
    change_config: ChangeConfig,
) -> None:
    bounds: dict[str, Any] = {"secret_path": "/", "allowed_paths": ("/payments", "/shared/keys")}

    assert locate(change_config, "payments/KEY", **bounds).path == "/payments/KEY"
    assert locate(change_config, "/shared/keys/deep/KEY", **bounds).path == "/shared/keys/deep/KEY"
    for outside in ("KEY", "/shared/KEY", "payments-2/KEY"):
        with pytest.raises(PolicyError):
            locate(change_config, outside, **bounds)


def test_the_policy_s_path_moves_where_relative_keys_stand(change_config: ChangeConfig) -> None:
    moved = locate(change_config, "a/KEY", {"path": "/payments/live/"}, secret_path="/payments")
    absolute = locate(change_config, "/payments/KEY", {"path": "/payments/live"})

    assert moved.path == "/payments/live/a/KEY"
    assert absolute.path == "/payments/KEY"


@pytest.mark.parametrize("path", ["/", "/other", "/paymentsx", "/pay"])
def test_the_policy_s_path_must_lie_in_an_allowed_one(
    change_config: ChangeConfig, path: str
) -> None:
    with pytest.raises(PolicyError, match="path"):
        locate(change_config, "KEY", {"path": path}, secret_path="/payments")


@pytest.mark.parametrize("path", ["", "payments", "/a//b", "/a/../b", "/*", "/a\0", "/a/./b"])
def test_a_policy_s_path_that_is_no_folder_is_refused(
    change_config: ChangeConfig, path: str
) -> None:
    with pytest.raises(PolicyError, match="path"):
        locate(change_config, "KEY", {"path": path})


@pytest.mark.parametrize(
    ("name", "setting"),
    [("environment", "allowed_environments"), ("project_id", "allowed_projects")],
)
def test_a_policy_chooses_environment_and_project_only_among_the_allowed(
    change_config: ChangeConfig, name: str, setting: str
) -> None:
    chosen = locate(change_config, "KEY", {name: "other"}, **{setting: ("other",)})

    assert dict(chosen.scope)[name] == "other"
    for not_allowed in ("other", "", " prod", "PROD", "*"):
        with pytest.raises(PolicyError, match=name):
            locate(change_config, "KEY", {name: not_allowed})


def test_choosing_what_is_configured_anyway_is_the_same_location(
    change_config: ChangeConfig,
) -> None:
    spelled_out = {"environment": "prod", "project_id": PROJECT_ID, "path": "/"}

    assert locate(change_config, "KEY", spelled_out) == locate(change_config, "KEY")


def test_base64_is_the_one_encoding(change_config: ChangeConfig) -> None:
    assert locate(change_config, "KEY", {"encoding": "base64"}).encoding == "base64"
    for unknown in ("", "hex", "BASE64", "utf-8"):
        with pytest.raises(PolicyError, match="encoding"):
            locate(change_config, "KEY", {"encoding": unknown})


@pytest.mark.parametrize("name", ["secret_path", "Environment", "projectId", "version", ""])
def test_an_unknown_property_is_refused_with_the_list_of_known_ones(
    change_config: ChangeConfig, name: str
) -> None:
    with pytest.raises(PolicyError, match="encoding, environment, path, project_id"):
        locate(change_config, "KEY", {name: "x"})


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\u00a0", "\ufeff", "\u3000", "\u2028"])
def test_a_name_is_trimmed_as_the_server_trims_it(change_config: ChangeConfig, blank: str) -> None:
    assert locate(change_config, f"{blank}KEY{blank}") == locate(change_config, "KEY")


@pytest.mark.parametrize("kept", ["\x1c", "\x85", "\u200b", "\u180e"])
def test_what_the_server_keeps_is_kept(change_config: ChangeConfig, kept: str) -> None:
    assert locate(change_config, f"KEY{kept}").path == f"/KEY{kept}"


@pytest.mark.parametrize(
    "key", [" ", "\ufeff", "a/ ", " .. ", ". ", "\u00a0..", " a/KEY", "a /KEY"]
)
def test_blanks_do_not_lead_to_a_second_place(change_config: ChangeConfig, key: str) -> None:
    with pytest.raises(InvalidRequest):
        locate(change_config, key)


@pytest.mark.parametrize(("name", "fits"), [("N" * 100, True), ("N" * 101, False)])
def test_a_name_has_at_most_a_hundred_characters(
    change_config: ChangeConfig, name: str, fits: bool
) -> None:
    if fits:
        assert locate(change_config, f" {name} ").path == f"/{name}"
    else:
        with pytest.raises(InvalidRequest, match="100"):
            locate(change_config, name)


def test_characters_beyond_the_basic_plane_count_twice_as_they_do_in_the_server(
    change_config: ChangeConfig,
) -> None:
    assert locate(change_config, "\U0001f510" * 50).path == "/" + "\U0001f510" * 50
    with pytest.raises(InvalidRequest):
        locate(change_config, "\U0001f510" * 50 + "x")
