"""What spans never say, and what they say only where names are allowed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from opentelemetry.trace import StatusCode

from adapters.tracing.attributes import MAX_TEXT, NAMES
from domain.model.transport import Request
from tests.contracts.audit import ANSWERED, JWT, REFUSED, SEED
from tests.support.core import policy
from tests.unit.adapters.tracing.recorded_spans import TracedCore, attributes_of, span_of


async def test_an_operation_that_a_requester_made_up_is_called_other() -> None:
    core = TracedCore()

    await core.handler.handle(Request("canary", b"", None, 0.0))

    assert core.spans.only.name == "other"
    assert attributes_of(core.spans.only)["rpc.method"] == "other"
    assert "canary" not in core.spans.only.to_json()
    assert core.spans.only.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("names_allowed", [False, True])
async def test_neither_values_nor_tokens_nor_properties_are_in_spans(
    *, names_allowed: bool
) -> None:
    core = TracedCore(names_allowed=names_allowed)
    core.store.put("/KEY", json.dumps({"password": "canary-value"}))

    await core.get("KEY", field="password", policy=policy(environment="prod"))

    written = "".join(span.to_json() for span in core.spans.all)
    for text in ("canary-value", "entity-token", "host-token", '"prod"', "environment"):
        assert text not in written


async def test_nobody_and_nothing_is_named_unless_that_is_allowed() -> None:
    core = TracedCore()
    core.store.put("/folder/MY_KEY", '{"my_field": "x"}')

    await core.get("folder/MY_KEY", field="my_field")

    assert len(core.spans.all) == 2
    for span in core.spans.all:
        assert not NAMES & set(span.attributes or {})
        for name in ("MY_KEY", "folder", "my_field", "shop"):
            assert name not in span.to_json()


def test_where_it_is_allowed_the_secret_and_the_caller_are_named() -> None:
    attributes = attributes_of(span_of(ANSWERED, names_allowed=True))

    assert (attributes["key"], attributes["path"]) == ("payments/API_KEY", "/payments/API_KEY")
    assert attributes["field"] == "user"
    assert attributes["grant"] == "payments"
    assert attributes["entity"] == "V1"
    assert attributes["entity_name"] == "mailer"
    assert attributes["application"] == "shop"


@pytest.mark.parametrize("credential", [SEED, JWT])
def test_what_looks_like_a_credential_is_hidden_where_names_are_shown(credential: str) -> None:
    span = span_of(replace(ANSWERED, key=f"a{credential}", field=credential), names_allowed=True)

    assert credential not in span.to_json()
    assert attributes_of(span)["field"] == "[redacted]"


def test_a_name_is_cut_and_its_broken_unicode_mended() -> None:
    span = span_of(replace(ANSWERED, key="k" * 1000, field="half\ud800"), names_allowed=True)

    assert attributes_of(span)["key"] == "k" * MAX_TEXT
    assert attributes_of(span)["field"] == "half?"


def test_a_reason_that_is_no_code_is_called_other() -> None:
    assert attributes_of(span_of(replace(REFUSED, reason="My/Key")))["reason"] == "other"
