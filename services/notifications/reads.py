"""Questions that several slices ask: who is an audience, what is it called, how do its departments stand."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifications.rules import is_late
from services.notifications.shapes import Audience, AudienceShown, Counts, NoticeShown, PersonBrief, Withdrawn
from services.notifications.tables import (
    Alert,
    AlertPerson,
    KnownAssignment,
    KnownDepartment,
    KnownHolder,
    KnownPerson,
    KnownShift,
    KnownTeam,
    Notice,
    NoticeDepartment,
    Recipient,
)
from shared.auth import Caller
from shared.below import with_everything_below
from shared.clock import now, today
from shared.db import as_system
from shared.refusals import Refused

ON_A_SHIFT = ("proposed", "confirmed", "checked_in")
NAMES_SHOWN = 20
COUNTS = ("told_count", "opened_count", "read_count", "by_head_count", "done_count", "late_count", "done_late_count")


def is_here() -> ColumnElement[bool]:
    """Has this person not left?"""
    return or_(KnownPerson.left_on.is_(None), KnownPerson.left_on > today())


def unanswered() -> ColumnElement[bool]:
    """Has this recipient not acknowledged, nor the head for them?"""
    by_head = and_(Recipient.recorded_at.is_not(None), Recipient.corrected_at.is_(None))
    return and_(Recipient.read_at.is_(None), ~by_head)


def alert_waits() -> ColumnElement[bool]:
    """Does this alert wait for this person? Gaps and places until they are filled, the others until they are seen."""
    return and_(Alert.closed_at.is_(None), or_(AlertPerson.seen_at.is_(None), Alert.kind.in_(("gap", "place"))))


def people_of(audience: Audience) -> Select[UUID, UUID]:
    """Who an audience is at this instant, as (person, department); whoever left is in none."""
    wanted = select(KnownPerson.id.label("person_id"), KnownPerson.department_id).where(is_here())
    match audience.kind:
        case "departments":
            return wanted.where(KnownPerson.department_id.in_(with_everything_below(KnownDepartment, audience.ids)))
        case "teams":
            mine = KnownTeam.id.in_(audience.ids)
            members = select(func.unnest(KnownTeam.member_ids)).where(mine)
            leading = [select(column).where(mine, column.is_not(None)) for column in (KnownTeam.leader_id, KnownTeam.deputy_id)]
            return wanted.where(or_(KnownPerson.id.in_(members), *(KnownPerson.id.in_(one) for one in leading)))
        case "shift":
            on_it = select(KnownAssignment.person_id)
            on_it = on_it.where(KnownAssignment.shift_id.in_(audience.ids), KnownAssignment.state.in_(ON_A_SHIFT))
            return wanted.where(KnownPerson.id.in_(on_it))
        case "people":
            return wanted.where(KnownPerson.id.in_(audience.ids))
    return wanted


async def people_named(read: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, PersonBrief]:
    """These people by name, number and department."""
    wanted = set(ids)
    if not wanted:
        return {}
    asked = select(KnownPerson.id, KnownPerson.name, KnownPerson.number, KnownDepartment.name.label("department"))
    joined = asked.outerjoin(KnownDepartment, KnownDepartment.id == KnownPerson.department_id)
    return {row.id: PersonBrief.model_validate(row) for row in await read.execute(joined.where(KnownPerson.id.in_(wanted)))}


def named(people: dict[UUID, PersonBrief], person_id: UUID | None) -> PersonBrief | None:
    """The person, without a name when the record is gone; nothing for nobody."""
    return people.get(person_id) or PersonBrief(id=person_id, name="") if person_id else None


async def holders_of(tx: AsyncSession, *roles: str) -> tuple[str | None, list[UUID]]:
    """Who holds the first of these roles that anybody here holds, and in whose place when it is not the first one."""
    async with as_system(tx):
        held = select(KnownHolder.person_id, KnownHolder.roles).join(KnownPerson, KnownPerson.id == KnownHolder.person_id)
        found = (await tx.execute(held.where(is_here(), KnownHolder.roles.overlap(list(roles))))).all()
    for role in roles:
        if ids := sorted(row.person_id for row in found if role in row.roles):
            return (None if role == roles[0] else roles[0]), ids
    return roles[0], []


def counted(row: Any) -> dict[str, int]:
    """The counts of a row, with what follows from them."""
    counts = {name: int(getattr(row, name) or 0) for name in COUNTS}
    counts["missing_count"] = counts["told_count"] - counts["read_count"] - counts["by_head_count"]
    counts["not_done_count"] = counts["told_count"] - counts["done_count"]
    return counts


def counts_of(row: Any) -> Counts:
    """The counts of a row, as they are shown."""
    return Counts(**counted(row))


async def totals_of(read: AsyncSession, notice_ids: Collection[UUID]) -> dict[UUID, Counts]:
    """How all whom the caller may see stand with these notices."""
    summed = [func.sum(getattr(NoticeDepartment, name)).label(name) for name in COUNTS]
    wanted = select(NoticeDepartment.notice_id, *summed).where(NoticeDepartment.notice_id.in_(notice_ids))
    return {row.notice_id: counts_of(row) for row in await read.execute(wanted.group_by(NoticeDepartment.notice_id))}


async def notice_of(tx: AsyncSession, notice_id: UUID, *, hold: bool = False) -> Notice:
    """The notice, if the caller may see it; `hold` keeps it until the transaction ends. Refused: `not_found`."""
    row = await tx.get(Notice, notice_id, with_for_update=True if hold else None)
    if row is None:
        raise Refused("not_found", 404)
    return row


async def notices_shown(read: AsyncSession, caller: Caller, rows: Sequence[Notice]) -> list[NoticeShown]:
    """Notices with the names of their audiences and the counts, in at most six statements."""
    totals = await totals_of(read, [row.id for row in rows]) if rows else {}
    seen = await _people_seen(read, caller, rows)
    names = await _names(read, rows, seen)
    return [_shown(row, caller, totals.get(row.id, Counts()), names, seen) for row in rows]


async def _people_seen(read: AsyncSession, caller: Caller, rows: Sequence[Notice]) -> dict[UUID, set[UUID]]:
    """Of notices to named people, whom the caller may see of them; none of it where that is everybody: whom else a notice was for is
    not for the head of some."""
    everything = caller.reach("notice.progress").everything or caller.reach("notice.issue").everything
    health = everything and caller.reach("urge.read").everything
    ids = [row.id for row in rows if row.audience_kind == "people" and not (health if row.about_health else everything)]
    if not ids:
        return {}
    seen: dict[UUID, set[UUID]] = {one: set() for one in ids}
    for notice_id, person_id in await read.execute(select(Recipient.notice_id, Recipient.person_id).where(Recipient.notice_id.in_(ids))):
        seen[notice_id].add(person_id)
    return seen


def _audience_seen(row: Notice, seen: Mapping[UUID, set[UUID]]) -> list[UUID]:
    return [one for one in row.audience_ids if one in seen[row.id]] if row.id in seen else row.audience_ids


async def _names(read: AsyncSession, rows: Sequence[Notice], seen: Mapping[UUID, set[UUID]]) -> dict[UUID, str]:
    wanted: dict[str, set[UUID]] = {}
    for row in rows:
        wanted.setdefault(row.audience_kind, set()).update(_audience_seen(row, seen)[:NAMES_SHOWN])
    tables: dict[str, Any] = {"departments": KnownDepartment, "teams": KnownTeam, "people": KnownPerson}
    found: dict[UUID, str] = {}
    for kind, ids in wanted.items():
        if ids and kind in tables:
            of_kind = tables[kind]
            found |= {row.id: row.name for row in await read.execute(select(of_kind.id, of_kind.name).where(of_kind.id.in_(ids)))}
        elif ids and kind == "shift":
            asked = select(KnownShift.id, KnownShift.operation_name, KnownShift.site_name).where(KnownShift.id.in_(ids))
            found |= {row.id: f"{row.operation_name} · {row.site_name}" for row in await read.execute(asked)}
    return found


def _shown(row: Notice, caller: Caller, totals: Counts, names: dict[UUID, str], seen: Mapping[UUID, set[UUID]]) -> NoticeShown:
    withdrawn = None
    if row.withdrawn_at:
        withdrawn = Withdrawn(at=row.withdrawn_at, by=row.withdrawn_by_name or "", reason=row.withdrawn_reason or "")
    ids = _audience_seen(row, seen)
    called = [names[one] for one in ids[:NAMES_SHOWN] if one in names]
    return NoticeShown(
        id=row.id,
        kind=row.kind,  # type: ignore[arg-type]  # the table's check holds the same words
        state="withdrawn" if withdrawn else "issued",
        title=row.title,
        text=row.text,
        title_en=row.title_en,
        text_en=row.text_en,
        audience=AudienceShown(kind=row.audience_kind, ids=ids, names=called),  # type: ignore[arg-type]
        deadline_at=row.deadline_at,
        overdue=is_late(now(), row.deadline_at),
        asks_done=row.asks_done,
        done_deadline_at=row.done_deadline_at,
        mail=row.mail,
        issued_by=row.issued_by_name,
        issued_by_me=row.issued_by is not None and row.issued_by == caller.person_id,
        issued_at=row.issued_at,
        head_count=row.head_count,
        withdrawn=withdrawn,
        totals=totals,
    )
