"""Where a value must not turn up: exceptions, tracebacks, task names, reprs, formats, copies."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import traceback
from typing import TYPE_CHECKING, NoReturn

import pytest
from typing_extensions import override

from adapters.crypto.nkeys_text import KeyKind, encode_public
from adapters.crypto.xkeys import SodiumXKeyPair
from domain.model.errors import EncryptionFailed, OtherError, SecretsError
from domain.model.identity import PublicXKey
from domain.model.secret import Secret, SecretValue
from domain.model.transport import Request
from tests.adversarial.defended_core import VALUE, DefendedCore, LogText, message
from tests.fakes.secret_store import FakeSecretStore

if TYPE_CHECKING:
    from domain.model.reference import SecretQuery


class TalkativeStore(FakeSecretStore):
    """Fails with the value in its exception's text, arguments, notes and locals."""

    @override
    async def fetch(self, query: SecretQuery) -> NoReturn:
        value = VALUE
        error = RuntimeError(f"cannot parse {value}", {"value": value})
        error.add_note(value)
        raise error from ValueError(value)


async def test_a_stores_exception_that_holds_the_value_reaches_neither_log_nor_reply(
    log: LogText,
) -> None:
    core = DefendedCore(log, store=TalkativeStore(("prod", "dev")))
    pair = SodiumXKeyPair.generate()
    sealed = pair.seal(json.dumps(message()).encode(), core.server.public)

    reply = await core.answer.handle(core_request(core, sealed, pair))

    lines = log.take()
    assert VALUE not in "\n".join(lines)
    assert VALUE.encode() not in reply.body
    assert isinstance(core.opened(reply, pair), OtherError)
    assert [json.loads(line)["event"] for line in lines] == ["fault.unexpected", "secret_request"]


def core_request(core: DefendedCore, sealed: bytes, pair: SodiumXKeyPair) -> Request:
    return Request("get", sealed, pair.public, core.clock.monotonic())


def test_no_rendering_of_a_value_shows_it() -> None:
    value = SecretValue(VALUE)
    secret = Secret("1", value)

    for shown in (repr(value), str(value), f"{value}", f"{secret!r:>80}", f"{[secret]}"):
        assert VALUE not in shown
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            take(value)


async def test_no_task_is_named_after_what_it_carries(core: DefendedCore) -> None:
    core.store.gate.clear()
    asking = asyncio.create_task(core.ask(message()))
    await core.store.asked.wait()

    names = [f"{task.get_name()} {task!r}" for task in asyncio.all_tasks()]
    core.store.gate.set()
    await asking

    assert not any(VALUE in name or "attack" in name for name in names)


def test_a_failed_seal_keeps_no_plaintext_in_its_traceback() -> None:
    low_order = PublicXKey(encode_public(KeyKind.XKEY, bytes(32)))
    with pytest.raises(EncryptionFailed) as caught:
        SodiumXKeyPair.generate().seal(VALUE.encode(), low_order)
    error = caught.value

    assert error.__context__ is None
    assert VALUE not in "".join(traceback.format_exception(error))


async def test_no_typed_error_carries_input(core: DefendedCore) -> None:
    for document in (
        message(VALUE),
        message(field=VALUE),
        message(version=VALUE),
        message(entity_jwt=VALUE),
        message(host_jwt=VALUE),
        message(application={"policy": VALUE}),
    ):
        core.secrets.discard(VALUE)  # a key, field or version is an identifier and is recorded
        answer = await core.ask(document)
        assert isinstance(answer, SecretsError)
        assert VALUE not in f"{answer!r} {answer.args} {answer.advice}"
