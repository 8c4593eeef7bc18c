"""The rules of notices: when one reminds, what is late, who hears of people missing, and which addresses lie inside."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.rules import (
    LONGEST,
    REMIND_BEFORE,
    answered_at,
    is_inside,
    is_late,
    is_open,
    reminder_at,
    signature,
    state_of,
    what_is_wrong,
    who_hears,
)
from tests.people import id_of

AT = datetime(2021, 8, 4, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Answers:
    """What somebody did."""

    opened_at: datetime | None = None
    read_at: datetime | None = None
    recorded_at: datetime | None = None
    corrected_at: datetime | None = None
    done_at: datetime | None = None


@dataclass
class Department:
    """Who answers for what."""

    id: UUID
    parent_id: UUID | None = None
    head_id: UUID | None = None
    reporter_id: UUID | None = None
    deputy_id: UUID | None = None


def test_an_answer_at_the_very_deadline_is_in_time() -> None:
    assert not is_late(AT, AT)
    assert is_late(AT + timedelta(microseconds=1), AT)
    assert not is_late(AT, None)
    assert not is_late(None, AT)


@given(st.timedeltas(min_value=timedelta(seconds=1), max_value=LONGEST))
def test_a_reminder_lies_between_the_issue_and_the_deadline(until: timedelta) -> None:
    at = reminder_at(AT, AT + until)

    assert AT < at < AT + until
    assert AT + until - at <= REMIND_BEFORE


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        (Answers(), "told"),
        (Answers(opened_at=AT), "opened"),
        (Answers(opened_at=AT, recorded_at=AT), "by_head"),
        (Answers(opened_at=AT, recorded_at=AT, corrected_at=AT), "opened"),
        (Answers(read_at=AT, recorded_at=AT), "read"),
        (Answers(recorded_at=AT, done_at=AT), "done"),
    ],
)
def test_ones_own_word_goes_before_the_heads(answers: Answers, state: str) -> None:
    assert state_of(answers) == state


def test_whichever_came_first_counts_and_a_wrong_record_does_not() -> None:
    assert answered_at(Answers(read_at=AT, recorded_at=AT - MINUTE)) == AT - MINUTE
    assert answered_at(Answers(read_at=AT, recorded_at=AT - MINUTE, corrected_at=AT)) == AT
    assert answered_at(Answers(recorded_at=AT, corrected_at=AT)) is None


def test_a_notice_waits_until_it_is_answered_done_or_withdrawn() -> None:
    read = Answers(read_at=AT)
    assert is_open(Answers(opened_at=AT), asks_done=False, withdrawn=False)
    assert not is_open(read, asks_done=False, withdrawn=False)
    assert is_open(read, asks_done=True, withdrawn=False)
    assert not is_open(Answers(), asks_done=True, withdrawn=True)


@pytest.mark.parametrize(
    ("deadline", "done", "asks_done", "codes"),
    [
        (AT, None, False, ["passed_already"]),
        (AT - MINUTE, AT - MINUTE, True, ["passed_already", "passed_already"]),
        (AT + LONGEST + MINUTE, None, False, ["too_far_ahead"]),
        (None, AT + MINUTE, False, ["no_done_asked"]),
        (AT + 2 * MINUTE, AT + MINUTE, True, ["before_deadline"]),
        (AT + MINUTE, AT + MINUTE, True, []),
        (None, None, False, []),
    ],
)
def test_what_is_wrong_with_deadlines(deadline: datetime | None, done: datetime | None, asks_done: bool, codes: list[str]) -> None:
    assert [one.code for one in what_is_wrong(AT, deadline, done, asks_done=asks_done)] == codes


def test_half_a_translation_is_none() -> None:
    assert [one.code for one in what_is_wrong(AT, None, None, asks_done=False, halves=(True, False))] == ["half_translated"]
    assert what_is_wrong(AT, None, None, asks_done=False, halves=(True, True)) == []


HEAD, REPORTER, DEPUTY, ABOVE = (id_of(word) for word in ("head", "reporter", "deputy", "above"))
BELOW = Department(id_of("below"), id_of("top"), HEAD, REPORTER, DEPUTY)
TOP = Department(id_of("top"), None, ABOVE)
TREE = {one.id: one for one in (BELOW, TOP)}


@pytest.mark.parametrize(
    ("here", "told", "instead_of"),
    [
        ({HEAD, REPORTER, ABOVE}, (HEAD,), None),
        ({REPORTER, DEPUTY, ABOVE}, (REPORTER, DEPUTY), "reporter"),
        ({DEPUTY}, (DEPUTY,), "reporter"),
        ({ABOVE}, (ABOVE,), "above"),
        (set(), (), "nobody"),
    ],
)
def test_a_step_that_reaches_nobody_passes_on(here: set[UUID], told: tuple[UUID, ...], instead_of: str | None) -> None:
    found = who_hears(BELOW.id, TREE, here)

    assert (found.person_ids, found.instead_of) == (told, instead_of)


def test_a_circle_of_departments_ends() -> None:
    circle = {one.id: one for one in (Department(id_of("a"), id_of("b")), Department(id_of("b"), id_of("a")))}

    assert who_hears(id_of("a"), circle, set()).instead_of == "nobody"
    assert who_hears(id_of("unknown"), circle, set()).instead_of == "nobody"


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1"),
        *("255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1"),
        *("2002:7f00:1::", "2002:a00:1::1", "64:ff9b:1::1", "192.0.0.192", "fec0::1"),
    ],
)
def test_an_address_inside_is_known_however_it_is_written(address: str) -> None:
    assert is_inside(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_an_address_of_the_open_internet_is_none(address: str) -> None:
    assert not is_inside(address)


def test_a_signature_is_that_of_standard_webhooks() -> None:
    key = b"muster-muster-muster-24b"
    secret, body = "whsec_" + base64.b64encode(key).decode(), b'{"type":"assignment.confirmed"}'

    found = signature(secret, "msg_1", 1614265330, body)

    wanted = hmac.new(key, b"msg_1.1614265330." + body, hashlib.sha256).digest()
    assert found == "v1," + base64.b64encode(wanted).decode()
    assert found != signature(secret, "msg_2", 1614265330, body)
