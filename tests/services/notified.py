"""The small institution as notifications was told of it, and the ways that several of its tests begin with."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from services.notifications.tables import (
    Alert,
    AlertPerson,
    Delivery,
    KnownAssignment,
    KnownShift,
    Notice,
    NoticeDepartment,
    Recipient,
    Record,
    Reminder,
    Webhook,
)
from shared import clock
from shared.auth import Caller
from shared.clock import now
from shared.events import (
    ContactsChanged,
    ContactState,
    DepartmentsChanged,
    DepartmentState,
    HoldersChanged,
    HolderState,
    PeopleChanged,
    PersonState,
)
from tests.doors import Door
from tests.people import FANG_JIBAI, FU_XINGJIAN, JIANG_CAIWEI, LEADER, PEOPLE, ZHONG_YIFAN, Person
from tests.services.let_in import departments, state_of
from tests.services.matrix import uuid_of

SECRET_ADDRESSES = {one.id: f"{one.number}@mail.example.org" for one in PEOPLE}


def moment(clock_time: str, day: str = "2021-08-04") -> datetime:
    """An instant of the reference case, in the institution's time."""
    return datetime.fromisoformat(f"{day}T{clock_time}:00+08:00")


async def tell(notifications: Door, **changes: Any) -> None:
    """It was told of everybody, of who holds which role, and of how they are reached."""
    told: list[DepartmentState] = changes.get("departments") or departments()
    people: list[PersonState] = [state_of(person) for person in PEOPLE]
    await notifications.hears(DepartmentsChanged(departments=told))
    await notifications.hears(PeopleChanged(people=people))
    given = {FU_XINGJIAN: ["leader"], JIANG_CAIWEI: ["coordinator"], FANG_JIBAI: ["duty_planner"], ZHONG_YIFAN: ["administrator"]}
    holders = [HolderState(person_id=one.id, roles=roles, version=1) for one, roles in given.items()]
    await notifications.hears(HoldersChanged(holders=holders))
    contacts = [ContactState(person_id=one.id, phone=f"+86{one.phone}", email=SECRET_ADDRESSES[one.id], version=1) for one in PEOPLE]
    await notifications.hears(ContactsChanged(contacts=contacts))


def order(**changes: Any) -> dict[str, Any]:
    """An order to everyone, due at ten."""
    wish = {"kind": "order", "title": "手机24小时开机", "text": "读后逐人回复。", "audience": {"kind": "everyone", "ids": []}}
    return wish | {"deadline_at": moment("10:00").isoformat()} | changes


async def issued(notifications: Door, caller: Caller = LEADER, **changes: Any) -> dict[str, Any]:
    """It was issued."""
    answer = await notifications.post("/notices", order(**changes), caller)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def progress(notifications: Door, notice_id: str, caller: Caller = LEADER) -> dict[str, int]:
    """The totals that are not nought."""
    answer = await notifications.get(f"/notices/{notice_id}/progress", caller)
    assert answer.status_code == 200, answer.text
    return {name.removesuffix("_count"): count for name, count in answer.json()["totals"].items() if count}


async def counted_anew(notifications: Door, notice_id: str) -> tuple[dict[str, int], dict[str, int]]:
    """The counts that are kept, and the same counted from the rows."""
    by_head = Recipient.recorded_at.is_not(None) & Recipient.corrected_at.is_(None) & Recipient.read_at.is_(None)
    rows = {
        "told_count": func.count(),
        "opened_count": func.count(Recipient.opened_at),
        "read_count": func.count(Recipient.read_at),
        "by_head_count": func.count().filter(by_head),
        "done_count": func.count(Recipient.done_at),
        "late_count": func.count().filter(Recipient.late),
        "done_late_count": func.count().filter(Recipient.done_late),
    }
    async with notifications.rows() as tx:
        kept = select(*(func.sum(getattr(NoticeDepartment, name)).label(name) for name in rows))
        anew = select(*(column.label(name) for name, column in rows.items())).select_from(Recipient)
        first = (await tx.execute(kept.where(NoticeDepartment.notice_id == notice_id))).one()
        second = (await tx.execute(anew.where(Recipient.notice_id == notice_id))).one()
    return {name: int(value) for name, value in first._mapping.items()}, {name: int(value) for name, value in second._mapping.items()}


async def at(notifications: Door, clock_time: str) -> None:
    """It is so late, and what is due by then is done."""
    clock.set_now(moment(clock_time))
    await notifications.dues()


async def alerts_of(notifications: Door, caller: Caller, **query: Any) -> list[dict[str, Any]]:
    """The alerts of somebody."""
    answer = await notifications.get("/alerts/mine", caller, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def item_of(notifications: Door, caller: Caller, notice_id: str) -> dict[str, Any]:
    """One's own copy of a notice."""
    answer = await notifications.get(f"/inbox/{notice_id}", caller)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def has_left(notifications: Door, person: Person) -> None:
    """The person left yesterday."""
    await notifications.hears(PeopleChanged(people=[state_of(person, left_on=now().date().replace(day=3), version=2)]))


async def seed_notifications(notifications: Door) -> None:
    """Everybody has a notice of their own with a record, an alert, a shift that they lead, and a webhook that bears their name."""
    await tell(notifications)
    async with notifications.rows() as tx:
        for one in PEOPLE:
            notice_id, alert_id, shift_id = (uuid_of(name, one) for name in ("notice_id", "alert_id", "shift_id"))
            words: dict[str, Any] = {"kind": "order", "title": f"致{one.name}", "text": one.name, "asks_done": True, "mail": False}
            whom: dict[str, Any] = {"audience_kind": "people", "audience_ids": [one.id], "head_count": 1}
            tx.add(Notice(id=notice_id, **words, **whom, issued_by_name="x", issued_at=now()))
            await tx.flush()
            where = {"notice_id": notice_id, "department_id": one.department.id}
            counts = dict.fromkeys(("opened_count", "read_count", "done_count", "late_count", "done_late_count"), 0)
            tx.add(NoticeDepartment(**where, told_count=1, by_head_count=1, **counts))
            tx.add(Recipient(person_id=one.id, **where, told_at=now(), recorded_at=now(), late=False, done_late=False))
            how = {"method": "meeting", "note": one.name, "recorded_by_name": "x", "recorded_at": now()}
            tx.add(Record(id=uuid_of("record_id", one), person_id=one.id, **where, **how))
            tx.add(Reminder(notice_id=notice_id, kind="before", reminded_at=now(), missing_count=1))
            tx.add(Delivery(errand_id=uuid_of("delivery_id", one), notice_id=notice_id, person_id=one.id, why="issued", ended_at=now()))
            tx.add(Alert(id=alert_id, kind="gap", ref=one.number, params={"person_id": str(one.id)}, opened_at=now()))
            await tx.flush()
            tx.add(AlertPerson(alert_id=alert_id, person_id=one.id))
            times = {"starts_at": now(), "ends_at": now(), "version": 1, "heard_at": now()}
            tx.add(KnownShift(id=shift_id, operation_name="x", site_name="x", leader_id=one.id, state="open", **times))
            on_it = {"shift_id": shift_id, "person_id": one.id, "role": "x", "state": "confirmed", "version": 1, "heard_at": now()}
            tx.add(KnownAssignment(id=uuid_of("assignment_id", one), **on_it))
            url = f"https://hooks.example.org/{one.number}"
            hook = {"kind": "assignment.confirmed", "secret": "whsec_", "made_by_name": "x", "made_at": now()}
            tx.add(Webhook(id=uuid_of("webhook_id", one), url=url, **hook))
