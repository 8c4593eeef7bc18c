"""What duty, dispatch and notifications keep about a person: taken away by them, and gone when personnel says that its time is over."""

from typing import Any

from sqlalchemy import func, select

from services.dispatch.tables import Assignment, OpenPlace, Team, TeamMember
from services.duty.tables import Amendment, Duty
from services.notifications.tables import AlertPerson, Delivery, KnownContact, Notice, Recipient, Record
from shared.bookings import taken
from shared.clock import now
from shared.events import PeopleRemoved
from tests.doors import Door
from tests.people import ADMINISTRATOR, COORDINATOR, GU_CHANGTING, HEAD, JIANG_CAIWEI, LIANG_YUAN, RECORDS_SYSTEM, STAFF, caller
from tests.services import duties as rostered
from tests.services.deployment import is_fit, is_on, knows_everybody, planned, shifts_of
from tests.services.notified import issued, tell

REMOVED = PeopleRemoved(person_ids=[LIANG_YUAN.id])


async def copy_of(door: Door, caller: Any = STAFF) -> dict[str, Any]:
    """All that a service keeps about the caller."""
    answer = await door.get("/people/me/copy", caller)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def on_a_roster(duty: Door) -> None:
    """Liang Yu'an holds a duty of a published week, and was written about when it was amended."""
    await rostered.people(duty)
    await rostered.published(duty)
    async with duty.rows() as tx:
        held = (await tx.scalars(select(Duty).where(Duty.person_id == LIANG_YUAN.id).limit(1))).one()
        told = {"because": "amended", "reason": "发烧在家", "by_id": LIANG_YUAN.id, "by_name": LIANG_YUAN.name, "at": now()}
        where = {"monday": held.monday, "post_id": held.post_id, "post_name": held.post_name, "on": held.on, "place": held.place}
        tx.add(Amendment(**where, **told, old_person_id=LIANG_YUAN.id, new_person_id=JIANG_CAIWEI.id))
    await duty.post("/feeds", None, STAFF)


async def test_duty_gives_away_what_it_keeps_about_oneself(duty: Door) -> None:
    await on_a_roster(duty)

    copy = await copy_of(duty)

    assert copy["person"]["name"] == LIANG_YUAN.name
    assert {one["post_name"] for one in copy["duties"]} == {"值班员"}
    assert [one["reason"] for one in copy["amendments"]] == ["发烧在家"]
    assert len(copy["feeds"]) == 1
    assert JIANG_CAIWEI.name not in str(copy)


async def test_why_one_took_over_from_another_is_not_given_away_with_it(duty: Door, dispatch: Door) -> None:
    await on_a_roster(duty)
    await on_shifts(dispatch)
    async with dispatch.rows() as tx:
        gone = (await tx.scalars(select(Assignment).where(Assignment.person_id == LIANG_YUAN.id).limit(1))).one()
        told = {"role": "登记", "because": "unfit", "state": "filled", "opened_at": now(), "closed_at": now()}
        tx.add(OpenPlace(assignment_id=gone.id, shift_id=gone.shift_id, person_id=LIANG_YUAN.id, filled_by=JIANG_CAIWEI.id, **told))

    seen = [(await copy_of(duty, who), await copy_of(dispatch, who)) for who in (STAFF, caller(JIANG_CAIWEI))]

    assert [one["amendments"][0]["reason"] for one, _ in seen] == ["发烧在家", None]
    assert [one["places"][0]["because"] for _, one in seen] == ["unfit", None]


async def test_of_whoever_is_removed_duty_keeps_that_a_place_was_held_and_no_more(duty: Door) -> None:
    await on_a_roster(duty)
    async with duty.rows() as tx:
        before = await tx.scalar(select(func.count()).select_from(Duty))

    await duty.hears(REMOVED)

    async with duty.rows() as tx:
        assert await tx.scalar(select(func.count()).select_from(Duty)) == before
        [amendment] = await tx.scalars(select(Amendment))
        assert (amendment.reason, amendment.by_name, amendment.by_id) == ("–", "", None)
        assert await taken(tx, [LIANG_YUAN.id], now().replace(year=2000), now().replace(year=2100)) == []
    copy = await copy_of(duty)
    assert (copy["person"], copy["feeds"]) == (None, [])


async def on_shifts(dispatch: Door) -> None:
    """Liang Yu'an declined one shift and was on another, leads the team and the site."""
    await knows_everybody(dispatch)
    first, second, *_ = await shifts_of(dispatch, await planned(dispatch))
    await is_fit(dispatch, LIANG_YUAN)
    await is_on(dispatch, first, LIANG_YUAN, state="declined", reason="腰伤复发", answered_at=now())
    await is_on(dispatch, second, LIANG_YUAN, state="checked_out", checked_in_at=second.starts_at, checked_out_at=second.ends_at)
    wish = {"name": "突击队", "leader_id": str(LIANG_YUAN.id), "member_ids": [str(LIANG_YUAN.id), str(GU_CHANGTING.id)]}
    assert (await dispatch.post("/teams", wish, COORDINATOR)).status_code == 201


async def test_dispatch_gives_away_what_it_keeps_about_oneself(dispatch: Door) -> None:
    await on_shifts(dispatch)

    copy = await copy_of(dispatch)

    assert [(one["state"], one["reason"], one["site"]) for one in copy["assignments"]] == [
        ("declined", "腰伤复发", "东门采样点"),
        ("checked_out", None, "东门采样点"),
    ]
    assert copy["teams"] == ["突击队"]
    assert [one["rule"] for one in copy["fitness"]] == ["testing_point"]
    assert GU_CHANGTING.name not in str(copy)


async def test_of_whoever_is_removed_dispatch_keeps_that_somebody_was_there_and_no_more(dispatch: Door) -> None:
    await on_shifts(dispatch)

    await dispatch.hears(REMOVED)

    async with dispatch.rows() as tx:
        rows = list(await tx.scalars(select(Assignment).order_by(Assignment.starts_at)))
        assert [(one.state, one.reason) for one in rows] == [("declined", None), ("checked_out", None)]
        assert (await tx.scalars(select(Team.leader_id))).all() == [None]
        assert (await tx.scalars(select(TeamMember.person_id))).all() == [GU_CHANGTING.id]
        assert await taken(tx, [LIANG_YUAN.id], now().replace(year=2000), now().replace(year=2100)) == []
    copy = await copy_of(dispatch)
    assert (copy["person"], copy["teams"], copy["fitness"]) == (None, [], [])


async def notified(notifications: Door) -> None:
    """Liang Yu'an was told of an order, and the head recorded it with a note."""
    await tell(notifications)
    notice = await issued(notifications)
    wish = {"person_ids": [str(LIANG_YUAN.id)], "method": "in_person", "note": "病房里当面说的"}
    answer = await notifications.post(f"/notices/{notice['id']}/records", wish, HEAD)
    assert answer.status_code == 201, answer.text
    assert len(answer.json()["recorded"]) == 1


async def test_notifications_gives_away_what_it_keeps_about_oneself(notifications: Door) -> None:
    await notified(notifications)

    copy = await copy_of(notifications)

    assert [(one["title"], one["recorded_at"] is not None) for one in copy["notices"]] == [("手机24小时开机", True)]
    assert [(one["method"], one["note"]) for one in copy["records"]] == [("in_person", "病房里当面说的")]
    assert copy["phone"] == f"+86{LIANG_YUAN.phone}"


async def test_of_whoever_is_removed_notifications_keeps_that_somebody_answered_and_no_more(notifications: Door) -> None:
    await notified(notifications)
    async with notifications.rows() as tx:
        before = await tx.scalar(select(func.count()).select_from(Recipient))

    await notifications.hears(REMOVED)

    async with notifications.rows() as tx:
        assert await tx.scalar(select(func.count()).select_from(Recipient)) == before
        assert (await tx.scalars(select(Record.note))).all() == [None]
        assert await tx.get(KnownContact, LIANG_YUAN.id) is None
        for table in (AlertPerson, Delivery):
            assert (await tx.scalars(select(table.person_id).where(table.person_id == LIANG_YUAN.id))).all() == []
    copy = await copy_of(notifications)
    assert (copy["person"], copy["phone"], copy["email"]) == (None, None, None)


async def test_what_a_removed_person_issued_stays_without_their_name(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)
    async with notifications.rows() as tx:
        issuer = (await tx.scalars(select(Notice.issued_by))).one()
    assert issuer is not None

    await notifications.hears(PeopleRemoved(person_ids=[issuer]))

    async with notifications.rows() as tx:
        kept = (await tx.scalars(select(Notice))).one()
    assert (str(kept.id), kept.issued_by_name) == (notice["id"], "")


async def test_whoever_is_no_person_has_no_copy(duty: Door, dispatch: Door, notifications: Door) -> None:
    for door in (duty, dispatch, notifications):
        assert (await door.get("/people/me/copy", RECORDS_SYSTEM)).status_code == 404
        assert (await copy_of(door, ADMINISTRATOR))["person"] is None
