"""The bucket's settings are checked before anything is asked of NATS."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.nats_kv.bucket import stream_config
from tests.support.environments import kv_settings


def test_the_default_bucket_is_the_one_of_wasmclouds_own_backend() -> None:
    assert kv_settings().bucket == "WASMCLOUD_SECRETS"


@pytest.mark.parametrize(
    "wrong",
    [
        {"bucket": ""},
        {"bucket": "a.b"},
        {"bucket": "a b"},
        {"bucket": "n\u00e4me"},
        {"history": 0},
        {"history": 65},
        {"replicas": 0},
        {"replicas": 6},
    ],
)
def test_a_setting_outside_its_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|may hold only"):
        kv_settings(**wrong)


def test_the_bucket_is_compressed_durable_and_as_configured() -> None:
    stream = stream_config(kv_settings(bucket="SECRETS", history=7, replicas=3)).as_dict()

    assert stream["name"] == "KV_SECRETS"
    assert stream["subjects"] == ["$KV.SECRETS.>"]
    assert (stream["compression"], stream["storage"]) == ("s2", "file")
    assert (stream["max_msgs_per_subject"], stream["num_replicas"]) == (7, 3)
    assert (stream["allow_direct"], stream["allow_rollup_hdrs"]) == (True, True)
