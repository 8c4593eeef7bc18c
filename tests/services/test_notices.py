"""Notices: issued to an audience frozen in that instant, counted by department, withdrawn, never edited."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from services.notifications.tables import Notice
from shared import clock
from shared.auth import Caller
from shared.events import AssignmentsChanged, AssignmentState, NoticesChanged, PeopleChanged, TeamsChanged, TeamState
from shared.refusals import Refused
from tests.doors import Door, errors_of
from tests.people import (
    ADMINISTRATOR,
    GU_CHANGTING,
    HEAD,
    HEALTH,
    JIANG_CAIWEI,
    LEADER,
    LIANG_YUAN,
    LOGISTICS,
    NOW,
    OTHER_HEAD,
    PAN_XIANGYE,
    PEOPLE,
    STAFF,
    TEACHING,
    caller,
    client,
    id_of,
)
from tests.services.budgets import allowed
from tests.services.let_in import departments, state_of
from tests.services.notified import counted_anew, has_left, issued, moment, order, progress, tell

COORDINATOR = caller(JIANG_CAIWEI, "coordinator")
OF_TEACHING = {"kind": "departments", "ids": [str(TEACHING.id)]}


async def test_everyone_has_an_order_in_the_inbox_when_it_is_issued(notifications: Door) -> None:
    await tell(notifications)

    notice = await issued(notifications)

    assert notice["head_count"] == len(PEOPLE)
    assert notice["totals"]["missing_count"] == len(PEOPLE)
    for one in PEOPLE:
        inbox = (await notifications.get("/inbox", caller(one))).json()
        assert (inbox["open_count"], [item["notice_id"] for item in inbox["items"]]) == (1, [notice["id"]])
    assert [(str(one.notice_id), one.state) for one in await notifications.told(NoticesChanged)] == [(notice["id"], "issued")]


async def test_a_department_means_everything_below_it(notifications: Door) -> None:
    below = [one if one.id != LOGISTICS.id else one.model_copy(update={"parent_id": TEACHING.id}) for one in departments()]
    await tell(notifications, departments=below)

    answer = await notifications.post("/notices/preview", {"audience": OF_TEACHING}, LEADER)

    inside = [one for one in PEOPLE if one.department in (TEACHING, LOGISTICS)]
    assert answer.json()["count"] == len(inside)
    assert {row["name"]: row["count"] for row in answer.json()["departments"]} == {"教务处": 4, "后勤服务中心": 3}


async def test_a_team_and_the_people_of_a_shift_are_audiences(notifications: Door) -> None:
    await tell(notifications)
    team = TeamState(id=id_of("team"), name="突击队", leader_id=LIANG_YUAN.id, deputy_id=None, member_ids=[PAN_XIANGYE.id], version=1)
    await notifications.hears(TeamsChanged(teams=[team]))
    states = (("confirmed", GU_CHANGTING), ("declined", PAN_XIANGYE), ("proposed", LIANG_YUAN))
    said: dict[str, Any] = {"shift_id": id_of("shift"), "role": "x", "starts_at": moment("08:00"), "ends_at": moment("12:00"), "version": 1}
    told = [AssignmentState(id=id_of(f"a{one.number}"), person_id=one.id, state=state, **said) for state, one in states]  # type: ignore[arg-type]
    await notifications.hears(AssignmentsChanged(assignments=told))

    counts = []
    for kind, row in (("teams", "team"), ("shift", "shift"), ("people", f"x-{1}")):
        answer = await notifications.post("/notices/preview", {"audience": {"kind": kind, "ids": [str(id_of(row))]}}, HEALTH)
        counts.append(answer.json()["count"])

    assert counts == [2, 2, 0]


async def test_the_audience_is_frozen_when_the_notice_is_issued(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications, audience=OF_TEACHING)

    moved = state_of(LIANG_YUAN, department_id=LOGISTICS.id, version=2)
    newcomer = state_of(PAN_XIANGYE, department_id=TEACHING.id, version=2)
    await notifications.hears(PeopleChanged(people=[moved, newcomer]))

    assert (await notifications.get(f"/inbox/{notice['id']}", STAFF)).status_code == 200
    assert (await notifications.get(f"/inbox/{notice['id']}", caller(PAN_XIANGYE))).status_code == 404
    assert await progress(notifications, notice["id"]) == {"told": 4, "missing": 4, "not_done": 4}


async def test_whoever_left_is_in_no_audience(notifications: Door) -> None:
    await tell(notifications)
    await has_left(notifications, PAN_XIANGYE)

    assert (await issued(notifications))["head_count"] == len(PEOPLE) - 1


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"audience": {"kind": "people", "ids": [str(id_of("nobody"))]}}, ("audience.ids", "nobody")),
        ({"audience": {"kind": "departments", "ids": []}}, ("audience.ids", "ids_missing")),
        ({"audience": {"kind": "everyone", "ids": [str(LIANG_YUAN.id)]}}, ("audience.ids", "ids_not_wanted")),
        ({"audience": {"kind": "shift", "ids": [str(id_of("a")), str(id_of("b"))]}}, ("audience.ids", "one_shift")),
        ({"deadline_at": moment("07:40").isoformat()}, ("deadline_at", "passed_already")),
        ({"deadline_at": "2023-08-04T10:00:00+08:00"}, ("deadline_at", "too_far_ahead")),
        ({"deadline_at": "2021-08-04T10:00:00"}, ("deadline_at", "zone_missing")),
        ({"deadline_at": "0001-01-01T00:00:00+14:00"}, ("deadline_at", "passed_already")),
        ({"done_deadline_at": moment("12:00").isoformat()}, ("done_deadline_at", "no_done_asked")),
        ({"asks_done": True, "done_deadline_at": moment("09:00").isoformat()}, ("done_deadline_at", "before_deadline")),
        ({"title_en": "Phones"}, ("text_en", "half_translated")),
        ({"title": " "}, ("title", "required")),
        ({"kind": "rumour"}, ("kind", "not_a_choice")),
    ],
)
async def test_what_is_wrong_is_said_beside_the_field(notifications: Door, changes: dict[str, Any], wrong: tuple[str, str]) -> None:
    await tell(notifications)

    answer = await notifications.post("/notices", order(**changes), LEADER)

    assert answer.status_code == 422, answer.text
    assert [(field, code) for field, code, _ in errors_of(answer)] == [wrong]
    assert (await notifications.get("/notices", LEADER)).json()["total"] == 0


async def test_a_double_click_issues_one_order(notifications: Door) -> None:
    await tell(notifications)

    answers = await asyncio.gather(*(notifications.post("/notices", order(), LEADER, key="click") for _ in range(2)))

    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert (await notifications.get("/notices", LEADER)).json()["total"] == 1


@pytest.mark.parametrize("who", [STAFF, HEAD, client("reader", "notices:read")])
async def test_only_those_who_may_issue_do(notifications: Door, who: Caller) -> None:
    await tell(notifications)

    assert (await notifications.post("/notices", order(), who)).status_code == 403


async def test_a_system_with_the_scope_issues_and_follows(notifications: Door) -> None:
    await tell(notifications)
    system = client("alarm", "notices:write")

    notice = await issued(notifications, system)

    assert (notice["issued_by"], notice["issued_by_me"]) == ("alarm", False)
    assert (await progress(notifications, notice["id"], system))["told"] == len(PEOPLE)


async def test_progress_of_few_departments_still_counts_all(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)
    path = f"/notices/{notice['id']}/progress"

    whole = (await notifications.get(path, LEADER)).json()
    first = (await notifications.get(f"{path}?most=1", LEADER)).json()
    lacking = (await notifications.get(f"{path}?lacking=true", LEADER)).json()

    missing = [row["missing_count"] for row in whole["departments"]]
    assert len(missing) > 1
    assert missing == sorted(missing, reverse=True)
    assert first["departments"] == whole["departments"][:1]
    assert lacking["departments"] == [row for row in whole["departments"] if row["missing_count"]]
    for one in (whole, first, lacking):
        assert one["totals"] == whole["totals"]
        assert (one["department_count"], one["lacking_count"]) == (len(missing), sum(count > 0 for count in missing))


async def test_a_head_sees_the_progress_of_the_own_department_alone(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)
    elsewhere = await issued(notifications, audience={"kind": "departments", "ids": [str(LOGISTICS.id)]})

    seen = (await notifications.get(f"/notices/{notice['id']}/progress", HEAD)).json()
    people = (await notifications.get(f"/notices/{notice['id']}/people", HEAD)).json()
    foreign = await notifications.get(f"/notices/{notice['id']}/people?department_id={LOGISTICS.id}", HEAD)

    assert [row["department"]["name"] for row in seen["departments"]] == ["教务处"]
    assert seen["totals"]["told_count"] == 4
    assert {row["person"]["department"] for row in people["items"]} == {"教务处"}
    assert foreign.json()["total"] == 0
    assert [row["id"] for row in (await notifications.get("/notices", HEAD)).json()["items"]] == [notice["id"]]
    assert (await notifications.get(f"/notices/{elsewhere['id']}", HEAD)).status_code == 404
    assert (await notifications.get(f"/notices/{elsewhere['id']}/progress", HEAD)).status_code == 404
    assert (await notifications.get(f"/notices/{elsewhere['id']}", OTHER_HEAD)).status_code == 200


async def test_staff_see_no_progress(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)

    for path in ("", "/progress", "/people"):
        assert (await notifications.get(f"/notices/{notice['id']}{path}", STAFF)).status_code == 403


async def test_a_withdrawn_notice_stays_with_its_reason_and_takes_no_answer(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)

    first = await notifications.post(f"/notices/{notice['id']}/withdrawal", {"reason": "时间有误"}, COORDINATOR)
    second = await notifications.post(f"/notices/{notice['id']}/withdrawal", {"reason": "再撤"}, COORDINATOR)

    item = (await notifications.get(f"/inbox/{notice['id']}", STAFF)).json()
    answer = await notifications.post(f"/inbox/{notice['id']}/acknowledgement", None, STAFF)
    opened = await notifications.post(f"/inbox/{notice['id']}/opening", None, STAFF)
    assert (first.json()["state"], first.json()["withdrawn"]["reason"]) == ("withdrawn", "时间有误")
    assert (second.status_code, second.json()["code"]) == (409, "withdrawn_already")
    assert (item["open"], item["withdrawn"]["by"]) == (False, JIANG_CAIWEI.name)
    assert (answer.status_code, answer.json()["code"]) == (409, "withdrawn")
    assert (opened.status_code, opened.json()["opened_at"]) == (200, None)
    assert (await notifications.get("/inbox", STAFF)).json()["open_count"] == 0


async def test_the_words_of_a_notice_are_never_edited(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)

    for change in ({"title": "x"}, {"text": "x"}, {"deadline_at": moment("23:00")}, {"head_count": 1}, {"title_en": "x"}):
        with pytest.raises((IntegrityError, Refused)):
            async with notifications.rows() as tx:
                await tx.execute(update(Notice).where(Notice.id == notice["id"]).values(change))


async def test_the_counts_are_right_while_everybody_answers_at_once(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications, asks_done=True)

    async def answer(who: Caller) -> None:
        await notifications.post(f"/inbox/{notice['id']}/opening", None, who)
        await asyncio.gather(*(notifications.post(f"/inbox/{notice['id']}/acknowledgement", None, who) for _ in range(2)))
        await notifications.post(f"/inbox/{notice['id']}/done", None, who)

    record = {
        "person_ids": [str(one.id) for one in PEOPLE if one.department == LOGISTICS and one.id != OTHER_HEAD.person_id],
        "method": "meeting",
    }
    await asyncio.gather(
        *(answer(caller(one)) for one in PEOPLE), notifications.post(f"/notices/{notice['id']}/records", record, OTHER_HEAD)
    )

    kept, anew = await counted_anew(notifications, notice["id"])
    assert kept == anew
    assert (kept["told_count"], kept["read_count"], kept["done_count"], kept["by_head_count"]) == (11, 11, 11, 0)


async def test_notices_are_listed_by_whether_their_last_deadline_has_passed(notifications: Door) -> None:
    await tell(notifications)
    await issued(notifications, title="soon", deadline_at=moment("09:00").isoformat())
    await issued(
        notifications, title="twice", deadline_at=moment("09:00").isoformat(), asks_done=True, done_deadline_at=moment("12:00").isoformat()
    )
    await issued(notifications, title="never", deadline_at=None)
    clock.set_now(moment("10:00"))

    async def titles(over: str) -> set[str]:
        return {one["title"] for one in (await notifications.get(f"/notices?open=true&over={over}", LEADER)).json()["items"]}

    assert (await titles("true"), await titles("false")) == ({"soon"}, {"twice", "never"})


READS = (
    ("/notices", LEADER),
    ("/notices?mine=true&open=true", LEADER),
    ("/notices/{notice}", LEADER),
    ("/notices/{notice}/progress", LEADER),
    ("/notices/{notice}/progress", HEAD),
    ("/notices/{notice}/people?state=missing&page_size=200", LEADER),
    ("/notices/{notice}/people", HEAD),
    ("/inbox", STAFF),
    ("/inbox/{notice}", STAFF),
    ("/alerts/mine", LEADER),
    ("/alerts/mine?open=false", HEAD),
    ("/webhooks", ADMINISTRATOR),
)
WRITES: tuple[tuple[str, Any, Caller], ...] = (
    ("/notices", order(asks_done=True, done_deadline_at=moment("12:00").isoformat()), LEADER),
    ("/notices/preview", {"audience": OF_TEACHING}, LEADER),
    ("/notices/{notice}/records", {"person_ids": ["{others}"], "method": "meeting"}, HEAD),
    ("/inbox/{notice}/opening", None, STAFF),
    ("/inbox/{notice}/done", None, STAFF),
    ("/notices/{notice}/withdrawal", {"reason": "x"}, LEADER),
)


async def test_no_request_takes_more_statements_for_more_rows(notifications: Door) -> None:
    await tell(notifications)
    taken: list[list[int]] = []
    for size in (1, 6):
        team = [state_of(LIANG_YUAN, id=id_of(f"{size}-{number}"), number=f"{size}-{number}") for number in range(size * 5)]
        await notifications.hears(PeopleChanged(people=team))
        notices = [await issued(notifications, asks_done=True) for _ in range(size)]
        clock.set_now(moment("10:00"))
        await notifications.dues()
        counts = []
        for path, who in READS:
            answer = await notifications.get(path.format(notice=notices[0]["id"]), who)
            assert answer.status_code == 200, answer.text
            counts.append(len(notifications.statements))
        clock.set_now(NOW)
        for path, body, who in WRITES:
            if body and "person_ids" in body:
                body = body | {"person_ids": [str(one.id) for one in team]}
            answer = await notifications.post(path.format(notice=notices[0]["id"]), body, who)
            assert answer.status_code < 300, answer.text
            counts.append(len(notifications.statements))
        taken.append(counts)

    named = [*(path for path, _ in READS), *(path for path, _, _ in WRITES)]
    assert [(name, few, many) for name, few, many in zip(named, *taken, strict=True) if many > few] == []
    assert [(name, many) for name, many in zip(named, taken[1], strict=True) if many > allowed(f"POST {name}")] == []
