"""One's duties in one's own calendar: by a secret link, kept hashed, that can be ended; what was taken off stays as cancelled."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from icalendar import Calendar
from sqlalchemy import select

from services.duty.tables import Feed, KnownAssignment
from shared.events import AssignmentsChanged, AssignmentState, PeopleRemoved, ShiftsChanged, ShiftState
from tests.doors import Door
from tests.people import AGENCY_WORKER, GU_CHANGTING, LIANG_YUAN, STAFF
from tests.services.duties import day, fill, people, post, publish, published, wish


async def made(duty: Door) -> dict[str, Any]:
    answer = await duty.post("/feeds", None, STAFF)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def events(duty: Door, path: str) -> list[Any]:
    answer = await duty.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n")), "RFC 5545 folds lines"
    return list(Calendar.from_ical(answer.content).walk("VEVENT"))


async def test_the_link_shows_ones_own_duties_without_signing_in(duty: Door) -> None:
    await people(duty)
    await published(duty)
    feed = await made(duty)

    found = await events(duty, feed["path"])

    assert [(str(one["summary"]), one.decoded("dtstart").isoformat()) for one in found] == [
        ("值班员", f"{day(number)}T00:00:00+00:00") for number in (0, 3, 6)
    ]
    assert {str(one["status"]) for one in found} == {"CONFIRMED"}


async def test_what_was_taken_off_stays_as_cancelled_under_its_old_name_and_a_higher_number(duty: Door) -> None:
    await people(duty)
    roster = await published(duty)
    feed = await made(duty)
    before = {str(one["uid"]): int(one["sequence"]) for one in await events(duty, feed["path"])}

    await fill(duty, [wish(roster["posts"][0]["id"], day(3), GU_CHANGTING)], roster["version"], reason="换班")

    after = {str(one["uid"]): (int(one["sequence"]), str(one["status"])) for one in await events(duty, feed["path"])}
    assert set(after) == set(before)
    [cancelled] = [uid for uid, (_, status) in after.items() if status == "CANCELLED"]
    assert after[cancelled][0] > before[cancelled]


async def test_a_long_name_is_folded(duty: Door) -> None:
    await people(duty)
    kept = await post(duty, name="总值班室" * 20, starts_at_time="08:00", hours=4)
    shifts = [wish(kept["id"], day(number), LIANG_YUAN) for number in range(7)]
    assert (await fill(duty, shifts)).json()["problem_count"] == 0
    assert (await publish(duty)).status_code == 200

    found = await events(duty, (await made(duty))["path"])

    assert {str(one["summary"]) for one in found} == {"总值班室" * 20}


async def test_an_ended_link_and_a_guessed_one_show_nothing(duty: Door) -> None:
    await people(duty)
    feed = await made(duty)
    listed = (await duty.get("/feeds/mine", STAFF)).json()["items"]

    strangers = await duty.delete(f"/feeds/{feed['id']}", AGENCY_WORKER)
    assert (await duty.get(feed["path"])).status_code == 200
    ended = [(await duty.delete(f"/feeds/{feed['id']}", STAFF)).status_code for _ in range(2)]

    assert listed == [{"id": feed["id"], "made_at": feed["made_at"]}]
    assert strangers.status_code == 404
    assert ended == [204, 204]
    assert (await duty.get(feed["path"])).status_code == 404
    assert (await duty.get("/feeds/guess/duties.ics")).status_code == 404
    assert (await duty.get("/feeds/mine", STAFF)).json()["items"] == []


async def test_the_secret_is_kept_hashed_and_said_once(duty: Door) -> None:
    await people(duty)
    feed = await made(duty)
    secret = feed["path"].split("/")[2]

    async with duty.rows() as tx:
        kept = (await tx.scalars(select(Feed))).one()

    assert secret not in repr(vars(kept))
    assert secret not in (await duty.get("/feeds/mine", STAFF)).text


async def test_nobody_makes_links_without_end(duty: Door) -> None:
    await people(duty)
    answers = [await duty.post("/feeds", None, STAFF) for _ in range(6)]

    assert [one.status_code for one in answers] == [201] * 5 + [409]
    assert answers[-1].json()["code"] == "too_many_feeds"


async def test_of_whoever_is_removed_no_link_goes_on(duty: Door) -> None:
    await people(duty)
    feed = await made(duty)

    await duty.hears(PeopleRemoved(person_ids=[LIANG_YUAN.id]))

    assert (await duty.get(feed["path"])).status_code == 404


async def told_of(duty: Door, person_id: UUID, state: str, version: int = 1, shift_state: str = "open") -> None:
    """dispatch told of a shift, and of somebody on it; in whatever order."""
    shift_id, begins = UUID(int=7), datetime.fromisoformat(f"{day(1)}T08:00:00+08:00")
    times: dict[str, Any] = {"starts_at": begins, "ends_at": begins + timedelta(hours=4), "version": version}
    on_it = {"id": UUID(int=8), "shift_id": shift_id, "person_id": person_id, "role": "登记", "state": state}
    shift = {"id": shift_id, "operation_id": UUID(int=9), "operation_name": "核酸检测", "site_id": UUID(int=6), "site_name": "东门"}
    await duty.hears(AssignmentsChanged(assignments=[AssignmentState.model_validate(on_it | times)]))
    await duty.hears(ShiftsChanged(shifts=[ShiftState.model_validate(shift | times | {"leader_id": None, "state": shift_state})]))


async def test_the_link_shows_one_s_own_shifts_too_and_how_they_stand(duty: Door) -> None:
    await people(duty)
    feed = await made(duty)
    steps = [("proposed", "planned"), ("proposed", "open"), ("confirmed", "open"), ("released", "cancelled")]

    shown = []
    for version, (state, shift_state) in enumerate(steps, 1):
        await told_of(duty, LIANG_YUAN.id, state, version, shift_state)
        found = await events(duty, feed["path"])
        shown.append([(str(one["summary"]), str(one["location"]), str(one["status"]), int(one["sequence"])) for one in found])

    named = ("核酸检测 · 登记", "东门")
    assert shown == [[], [(*named, "TENTATIVE", 4)], [(*named, "CONFIRMED", 6)], [(*named, "CANCELLED", 8)]]
    assert [one.decoded("dtstart").isoformat() for one in found] == [f"{day(1)}T00:00:00+00:00"]


async def test_nobody_else_s_shift_is_in_it_and_none_of_who_is_removed(duty: Door) -> None:
    await people(duty)
    feed = await made(duty)
    await told_of(duty, GU_CHANGTING.id, "confirmed")

    other = await events(duty, feed["path"])
    await duty.hears(PeopleRemoved(person_ids=[GU_CHANGTING.id]))

    assert other == []
    async with duty.rows() as tx:
        assert list(await tx.scalars(select(KnownAssignment.id))) == []
