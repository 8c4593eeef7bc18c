"""The inbox: told, opened, read, done; by the head; late; withdrawn. Never backwards, never edited, whatever anybody does."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from services.notifications.tables import Correction, Recipient, Record
from shared import clock
from shared.auth import Caller
from shared.clock import now
from shared.events import AcknowledgementsChanged
from shared.refusals import Refused
from tests.doors import Door, errors_of
from tests.people import (
    FANG_JIBAI,
    GU_CHANGTING,
    HEAD,
    LEADER,
    LIANG_YUAN,
    NOW,
    OTHER_HEAD,
    REPORTER,
    SHEN_ZHIXING,
    STAFF,
    TANG_YINAN,
    TEACHING,
    caller,
)
from tests.services.notified import counted_anew, issued, item_of, moment, progress, tell

MINE = {"person_ids": [str(LIANG_YUAN.id)], "method": "in_person", "note": "当面传达"}


async def say(notifications: Door, notice: dict[str, Any], what: str, who: Caller = STAFF) -> tuple[int, str]:
    answer = await notifications.post(f"/inbox/{notice['id']}/{what}", None, who)
    return answer.status_code, answer.json().get("code", answer.json().get("state", ""))


async def record(notifications: Door, notice: dict[str, Any], who: Caller = HEAD, **changes: Any) -> Any:
    return await notifications.post(f"/notices/{notice['id']}/records", MINE | changes, who)


async def test_read_is_one_tap_and_done_a_second_fact(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications, asks_done=True)

    said = [await say(notifications, notice, what) for what in ("opening", "acknowledgement", "done")]

    item = await item_of(notifications, STAFF, notice["id"])
    assert said == [(200, "opened"), (200, "read"), (200, "done")]
    assert (item["open"], item["late"], item["done_late"]) == (False, False, False)
    assert await progress(notifications, notice["id"]) == {
        "told": 11,
        "opened": 1,
        "read": 1,
        "done": 1,
        "missing": 10,
        "not_done": 10,
    }
    assert [one.person_ids for one in await notifications.told(AcknowledgementsChanged)] == [[LIANG_YUAN.id]] * 3


async def test_a_double_click_is_one_answer(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)

    answers = await asyncio.gather(*(notifications.post(f"/inbox/{notice['id']}/acknowledgement", None, STAFF) for _ in range(5)))

    assert {one.status_code for one in answers} == {200}
    assert len({one.json()["read_at"] for one in answers}) == 1
    assert len(await notifications.told(AcknowledgementsChanged)) == 1


async def test_an_answer_after_the_deadline_is_taken_and_counts_as_late(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)
    clock.set_now(moment("10:00") + timedelta(seconds=1))

    waiting = await item_of(notifications, STAFF, notice["id"])
    said = await say(notifications, notice, "acknowledgement")

    assert (waiting["open"], waiting["overdue"]) == (True, True)
    assert said == (200, "read")
    assert (await item_of(notifications, STAFF, notice["id"]))["late"] is True
    assert (await progress(notifications, notice["id"]))["late"] == 1


async def test_what_does_not_ask_for_it_cannot_be_done_and_a_foreign_notice_is_not_there(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications, audience={"kind": "people", "ids": [str(LIANG_YUAN.id)]})

    assert await say(notifications, notice, "done") == (409, "no_done_asked")
    for what in ("opening", "acknowledgement", "done"):
        assert (await say(notifications, notice, what, LEADER))[0] == 404
    assert (await notifications.get(f"/inbox/{notice['id']}", LEADER)).status_code == 404


async def test_what_waits_stands_first_the_nearest_deadline_above(notifications: Door) -> None:
    await tell(notifications)
    first = await issued(notifications, title="later", deadline_at=moment("18:00").isoformat())
    second = await issued(notifications, title="sooner", deadline_at=moment("09:00").isoformat())
    third = await issued(notifications, title="without", deadline_at=None)
    await say(notifications, third, "acknowledgement")
    fourth = await issued(notifications, title="answered", deadline_at=moment("08:00").isoformat())
    await say(notifications, fourth, "acknowledgement")

    found = (await notifications.get("/inbox", STAFF)).json()
    page = (await notifications.get("/inbox?page=2&page_size=1", STAFF)).json()
    waiting = (await notifications.get("/inbox?open=true", STAFF)).json()

    assert [one["title"] for one in found["items"]] == ["sooner", "later", "answered", "without"]
    assert (found["open_count"], found["total"]) == (2, 4)
    assert [one["notice_id"] for one in page["items"]] == [first["id"]]
    assert [one["notice_id"] for one in waiting["items"]] == [second["id"], first["id"]]


async def test_a_head_records_for_the_own_department_and_it_is_shown_apart(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)

    answer = await record(notifications, notice, person_ids=[str(LIANG_YUAN.id), str(FANG_JIBAI.id)])

    assert answer.status_code == 201, answer.text
    assert {one["name"] for one in answer.json()["recorded"]} == {LIANG_YUAN.name, FANG_JIBAI.name}
    assert await progress(notifications, notice["id"]) == {"told": 11, "by_head": 2, "missing": 9, "not_done": 11}
    people = (await notifications.get(f"/notices/{notice['id']}/people?state=by_head", LEADER)).json()["items"]
    assert {(one["record"]["method"], one["record"]["note"], one["record"]["by"]) for one in people} == {
        ("in_person", "当面传达", HEAD.name)
    }
    mine = await item_of(notifications, STAFF, notice["id"])
    assert (mine["open"], mine["read_at"], mine["recorded"]["by"]) == (False, None, HEAD.name)


async def test_a_head_who_follows_all_of_a_notice_records_for_the_own_department_alone(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)
    both = caller(SHEN_ZHIXING, "head", "leader", departments=(TEACHING,))

    elsewhere = await record(notifications, notice, both, person_ids=[str(GU_CHANGTING.id)])

    assert errors_of(elsewhere) == [("person_ids", "unknown_id", {})]
    assert (await record(notifications, notice, both)).status_code == 201


@pytest.mark.parametrize(
    ("who", "person_ids", "wanted"),
    [
        (OTHER_HEAD, [LIANG_YUAN.id], 422),  # of another department
        (HEAD, [LIANG_YUAN.id, GU_CHANGTING.id], 422),  # one of them is
        (HEAD, [SHEN_ZHIXING.id], 422),  # nobody for themselves
        (HEAD, [uuid4()], 422),
        (HEAD, [], 422),
        (LEADER, [LIANG_YUAN.id], 403),
        (STAFF, [LIANG_YUAN.id], 403),
        (REPORTER, [LIANG_YUAN.id], 201),
    ],
)
async def test_nobody_records_for_people_they_do_not_answer_for(
    notifications: Door, who: Caller, person_ids: list[UUID], wanted: int
) -> None:
    await tell(notifications)
    notice = await issued(notifications)

    answer = await record(notifications, notice, who, person_ids=[str(one) for one in person_ids])

    assert answer.status_code == wanted, answer.text
    if wanted == 422 and person_ids:
        assert [code for _, code, _ in errors_of(answer)] == ["unknown_id"]


async def test_whoever_answered_already_is_left_as_they_are(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)
    await say(notifications, notice, "acknowledgement")

    some = await record(notifications, notice, person_ids=[str(LIANG_YUAN.id), str(FANG_JIBAI.id)])
    again = await record(notifications, notice, person_ids=[str(LIANG_YUAN.id), str(FANG_JIBAI.id)])

    assert [one["name"] for one in some.json()["already"]] == [LIANG_YUAN.name]
    assert (again.status_code, again.json()["code"]) == (409, "acknowledged_already")
    assert await progress(notifications, notice["id"]) == {"told": 11, "opened": 1, "read": 1, "by_head": 1, "missing": 9, "not_done": 11}


async def test_a_wrong_record_is_corrected_by_adding_to_it(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)
    await record(notifications, notice)
    row = (await notifications.get(f"/notices/{notice['id']}/people?state=by_head", HEAD)).json()["items"][0]["record"]

    path = f"/notices/{notice['id']}/records/{row['id']}/correction"
    foreign = await notifications.post(path, {"reason": "记错了人"}, OTHER_HEAD)
    first = await notifications.post(path, {"reason": "记错了人"}, HEAD)
    second = await notifications.post(path, {"reason": "又"}, HEAD)
    again = await record(notifications, notice)

    assert (foreign.status_code, first.status_code, second.json()["code"]) == (404, 200, "corrected_already")
    assert again.json()["code"] == "acknowledged_already"
    assert (await item_of(notifications, STAFF, notice["id"]))["open"] is True
    assert await progress(notifications, notice["id"]) == {"told": 11, "missing": 11, "not_done": 11}
    async with notifications.rows() as tx:
        assert (await tx.scalars(select(Record.note))).all() == ["当面传达"]
        assert (await tx.scalars(select(Correction.reason))).all() == ["记错了人"]


@pytest.mark.parametrize("what", ["opened_at", "read_at", "done_at", "told_at", "recorded_at"])
async def test_what_was_acknowledged_is_never_edited_or_deleted(notifications: Door, what: str) -> None:
    await tell(notifications)
    notice = await issued(notifications, asks_done=True)
    await record(notifications, notice, person_ids=[str(LIANG_YUAN.id)])
    await say(notifications, notice, "done")
    mine = (Recipient.person_id == LIANG_YUAN.id, Recipient.notice_id == notice["id"])

    for change in (update(Recipient).values({what: None}), update(Recipient).values({what: NOW}), delete(Recipient)):
        with pytest.raises((Refused, IntegrityError)):
            async with notifications.rows() as tx:
                await tx.execute(change.where(*mine).execution_options(synchronize_session=False))
    for table in (Record, Correction):
        async with notifications.rows() as tx:
            rows = (await tx.scalars(select(table))).all()
        for _ in rows:
            with pytest.raises((Refused, IntegrityError)):
                async with notifications.rows() as tx:
                    await tx.execute(delete(table).execution_options(synchronize_session=False))


async def test_the_list_of_people_is_found_by_state_and_letters(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications, asks_done=True)
    await say(notifications, notice, "opening", caller(TANG_YINAN))
    await say(notifications, notice, "acknowledgement", LEADER)

    async def numbers(**query: Any) -> list[str]:
        found = (await notifications.get(f"/notices/{notice['id']}/people", LEADER, params=query)).json()
        assert found["total"] == len(found["items"])
        return [one["person"]["number"] for one in found["items"]]

    assert len(await numbers(state="missing")) == 10
    assert await numbers(state="opened") == [TANG_YINAN.number]
    assert len(await numbers(state="told")) == 9
    assert await numbers(state="read") == ["20040104"]
    assert len(await numbers(state="not_done")) == 11
    assert await numbers(state="late") == []
    assert await numbers(q=LIANG_YUAN.name[:1]) == [LIANG_YUAN.number]
    assert await numbers(q="%") == []
    assert (await numbers())[-1] == "20040104"


ACTIONS = st.lists(
    st.sampled_from(["open", "read", "done", "record", "correct", "withdraw", "wait", "reader reads"]), min_size=1, max_size=12
)
RANK = {"told": 0, "opened": 1, "by_head": 2, "read": 3, "done": 4}


class Model:
    """What should be, written down apart from the service: instants only ever added, and what follows from them."""

    def __init__(self) -> None:
        self.opened: datetime | None = None
        self.read: datetime | None = None
        self.done: datetime | None = None
        self.recorded: datetime | None = None
        self.corrected = self.withdrawn = False

    @property
    def by_head(self) -> datetime | None:
        return None if self.corrected else self.recorded

    @property
    def state(self) -> str:
        if self.done:
            return "done"
        return "read" if self.read else "by_head" if self.by_head else "opened" if self.opened else "told"

    def late(self, deadline: datetime) -> bool:
        answered = [at for at in (self.read, self.by_head) if at]
        return bool(answered) and min(answered) > deadline


@pytest.fixture
async def prepared(notifications: Door) -> Door:
    await tell(notifications)
    return notifications


async def _act(door: Door, notice: str, what: str, model: Model) -> None:
    """Do it, and say what the model should have made of it."""
    if what == "wait":
        clock.set_now(now() + timedelta(minutes=50))
        return
    at = now()
    path = {"open": "opening", "read": "acknowledgement", "done": "done"}.get(what)
    if what == "reader reads":
        await door.post(f"/inbox/{notice}/acknowledgement", None, REPORTER)
    elif path:
        answer = await door.post(f"/inbox/{notice}/{path}", None, STAFF)
        assert answer.status_code == (409 if model.withdrawn and what != "open" else 200)
        if not model.withdrawn:
            model.opened = model.opened or at
            model.read = model.read or (at if what != "open" else None)
            model.done = model.done or (at if what == "done" else None)
    elif what == "record":
        answer = await door.post(f"/notices/{notice}/records", MINE, HEAD)
        may = not (model.withdrawn or model.read or model.recorded)
        assert answer.status_code == (201 if may else 409), answer.text
        model.recorded = model.recorded or (at if may else None)
    elif what == "correct":
        found = (await door.get(f"/notices/{notice}/people?q={LIANG_YUAN.number}", HEAD)).json()["items"][0]["record"]
        assert (found is None) == (model.recorded is None)
        if found:
            answer = await door.post(f"/notices/{notice}/records/{found['id']}/correction", {"reason": "x"}, HEAD)
            assert answer.status_code == (409 if model.corrected else 200)
            model.corrected = True
    else:
        answer = await door.post(f"/notices/{notice}/withdrawal", {"reason": "x"}, LEADER)
        assert answer.status_code == (409 if model.withdrawn else 200)
        model.withdrawn = True


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
async def test_whatever_happens_an_acknowledgement_only_goes_forward(prepared: Door, actions: list[str]) -> None:
    clock.set_now(NOW)
    deadline = moment("10:00")
    notice = (await issued(prepared, asks_done=True))["id"]
    model, before = Model(), await item_of(prepared, STAFF, notice)

    for what in actions:
        await _act(prepared, notice, what, model)

        item = await item_of(prepared, STAFF, notice)
        for name in ("told_at", "opened_at", "read_at", "done_at"):
            assert before[name] is None or item[name] == before[name], f"{name} was written and changed"
        assert item["state"] == model.state
        assert RANK[item["state"]] >= RANK[before["state"]] or what == "correct"
        assert item["late"] == model.late(deadline)
        assert item["open"] == (not model.withdrawn and not (model.done or False))  # it asks for done, so read alone leaves it open
        kept, anew = await counted_anew(prepared, notice)
        assert kept == anew, f"the counts went wrong at {what}"
        before = item
