"""The generated configuration of a wasmCloud 2 host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from bootstrap.projection.config_file import read_plan
from bootstrap.projection.offline import host_config

if TYPE_CHECKING:
    from bootstrap.projection.plan import Plan


def plan(*directories: str) -> Plan:
    return read_plan(f"version: 1\ndirectories: [{', '.join(directories)}]".encode(), "prod")


def directory(path: str, workload: str, *files: str) -> str:
    listed = ", ".join(f'"{name}": {{key: k}}' for name in files)
    consumer = f"{{namespace: shop, workload: {workload}}}"
    return f"{{path: {path}, consumer: {consumer}, files: {{{listed}}}}}"


def test_each_file_is_a_binding_of_its_directory() -> None:
    made = host_config(
        plan(directory("/run/cart", "cart", "cart-db"), directory("/run/bill", "bill", "bill-db")),
        lambda _: None,
    )
    assert made.left_out == ()
    assert yaml.safe_load(made.text) == {
        "secrets": {"shop-cart": {"dir": "/run/cart"}, "shop-bill": {"dir": "/run/bill"}},
        "host": {
            "plugins": [
                {
                    "id": "wasmcloud-secrets",
                    "hostOwnedKeys": ["cart-db", "bill-db"],
                    "bindings": {
                        "cart-db": {"secretFrom": ["shop-cart"]},
                        "bill-db": {"secretFrom": ["shop-bill"]},
                    },
                }
            ]
        },
    }


def test_a_label_of_two_workloads_is_given_to_the_first_alone() -> None:
    made = host_config(
        plan(directory("/run/cart", "cart", "db"), directory("/run/bill", "bill", "db")),
        lambda _: None,
    )
    (left,) = made.left_out
    assert "shop-cart has a file of that name" in str(left)
    parsed = yaml.safe_load(made.text)
    assert parsed["host"]["plugins"][0]["bindings"] == {"db": {"secretFrom": ["shop-cart"]}}
    assert parsed["secrets"] == {"shop-cart": {"dir": "/run/cart"}}


def test_what_the_rules_refuse_and_what_is_no_label_is_left_out() -> None:
    made = host_config(
        plan(directory("/run/cart", "cart", "db", "Upper", "tls.key", "free")),
        lambda file: "no rule allows it" if file.name == "db" else None,
    )
    assert [one.file.name for one in made.left_out] == ["db", "Upper", "tls.key"]
    assert list(yaml.safe_load(made.text)["host"]["plugins"][0]["bindings"]) == ["free"]
    assert "# Left out: db of shop/cart has no binding: no rule allows it" in made.text


def test_without_any_secret_the_host_still_gives_none_to_all() -> None:
    made = host_config(plan(directory("/run/cart", "cart")), lambda _: None)
    (plugin,) = yaml.safe_load(made.text)["host"]["plugins"]
    assert plugin["bindings"] == {}


def test_two_directories_of_one_workload_have_two_sources() -> None:
    made = host_config(
        plan(directory("/run/a", "cart", "one"), directory("/run/b", "cart", "two")),
        lambda _: None,
    )
    assert yaml.safe_load(made.text)["secrets"] == {
        "shop-cart": {"dir": "/run/a"},
        "shop-cart-2": {"dir": "/run/b"},
    }
