"""The form: what is asked, what is shown again, and what is not."""

from __future__ import annotations

import pytest

from adapters.console.pages import MAX_PROPERTIES, FormError, question_in, read_form
from adapters.console.sources import Judgement
from tests.unit.adapters.console.stage import Stage

TOKEN = "eyJhbGciOiJFZDI1NTE5In0.eyJjYW5hcnkiOjF9.c2ln"
FORM = {"token": TOKEN, "key": "payments/API_KEY"}


async def test_all_that_is_entered_is_asked() -> None:
    stage = Stage()

    await stage.ask(
        {
            "token": f" {TOKEN[:20]}\r\n{TOKEN[20:]} ",
            "key": " payments/API_KEY ",
            "field": "user",
            "version": "3",
            "properties": "environment=prod\r\n\r\npath=/a=b",
            "application": "shop",
            "host": "N1",
            "account": "A1",
            "user": "U1",
            "every_grant": "yes",
        }
    )

    (question,) = stage.sources.questions
    assert (question.token, question.key) == (TOKEN, "payments/API_KEY")
    assert (question.field, question.version) == ("user", "3")
    assert question.properties == {"environment": "prod", "path": "/a=b"}
    assert (question.application, question.host) == ("shop", "N1")
    assert (question.account, question.user, question.every_grant) == ("A1", "U1", True)


async def test_what_is_left_empty_is_not_asked() -> None:
    stage = Stage()

    await stage.ask({**FORM, "field": "", "application": " ", "account": ""})

    (question,) = stage.sources.questions
    assert question.field is question.application is question.account is None
    assert not question.every_grant


@pytest.mark.parametrize("member", ["key", "field", "properties", "application", "token"])
async def test_a_token_is_not_shown_again_wherever_it_was_pasted(member: str) -> None:
    stage = Stage()
    text = f"a={TOKEN}" if member == "properties" else TOKEN

    response = await stage.ask({**FORM, member: text})

    assert TOKEN not in response.text
    assert "eyJ" not in response.text


async def test_a_question_shows_nothing_of_its_token_in_its_repr() -> None:
    members, _ = read_form(f"token={TOKEN}&key=K".encode(), "application/x-www-form-urlencoded")

    assert TOKEN not in repr(question_in(members))


@pytest.mark.parametrize(
    ("form", "advice"),
    [
        ({"key": "K"}, "Paste the token"),
        ({"token": " ", "key": "K"}, "Paste the token"),
        ({"token": TOKEN}, "Enter the key"),
        ({**FORM, "user": "U"}, "Enter the NATS account"),
        ({**FORM, "properties": "environment"}, "NAME=VALUE"),
        ({**FORM, "properties": "a=1\na=2"}, "NAME=VALUE"),
        ({**FORM, "properties": "=1"}, "NAME=VALUE"),
        (
            {**FORM, "properties": "\n".join(f"a{n}=1" for n in range(MAX_PROPERTIES + 1))},
            "at most 50",
        ),
    ],
)
async def test_a_form_that_asks_nothing_says_what_to_enter_and_keeps_the_rest(
    form: dict[str, str], advice: str
) -> None:
    stage = Stage()

    response = await stage.ask({"application": "kept-text", **form})

    assert response.status_code == 400
    assert advice in response.text
    assert "kept-text" in response.text
    assert TOKEN not in response.text
    assert stage.sources.questions == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"token=a&key=b", "text/plain"),
        (b"token=a&key=b", "multipart/form-data; boundary=x"),
        (b'{"token": "a"}', "application/json"),
        (b"token=\xff&key=b", "application/x-www-form-urlencoded"),
        (b"token=%ff&key=b", "application/x-www-form-urlencoded"),
        (b"no form", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % n for n in range(50)), "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form_is_refused_without_a_word_of_it(body: bytes, kind: str) -> None:
    with pytest.raises(FormError) as refused:
        read_form(body, kind)

    assert "token" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_a_member_that_is_sent_twice_counts_as_missing() -> None:
    members, _ = read_form(b"token=a&token=b&key=c", "application/x-www-form-urlencoded")

    assert "token" not in members


@pytest.mark.parametrize(
    ("judgement", "heading"),
    [
        (Judgement(allowed=True, reason="granted", lines=("Allowed by a.",)), "Allowed"),
        (Judgement(allowed=False, reason="no_grants", lines=("Refused.",)), "Refused"),
        (Judgement(allowed=None, reason="", lines=("bad_signature",)), "The token is refused"),
    ],
)
async def test_the_answer_stands_first_and_is_read_aloud(
    judgement: Judgement, heading: str
) -> None:
    stage = Stage()
    stage.sources.judgement = judgement

    text = (await stage.ask(FORM)).text

    assert f'<h2 id="answer">{heading}</h2>' in text
    assert text.index('role="alert"') < text.index("<form")
    assert judgement.lines[0] in text
