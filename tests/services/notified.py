"""The small institution as notifications was told of it, and the ways that several of its tests begin with."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from services.notifications.tables import NoticeDepartment, Recipient
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
