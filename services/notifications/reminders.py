"""Deadlines: a reminder before and at each, by themselves and once; then the heads and who issued are told who is missing."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifications.acts import DEADLINE, DONE_DEADLINE, REMINDER, AlertWish, mail_later, open_alerts
from services.notifications.reads import holders_of, is_here, unanswered
from services.notifications.rules import first_of, who_hears
from services.notifications.shapes import AlertKind
from services.notifications.tables import KnownDepartment, KnownHolder, KnownPerson, Notice, Recipient, Reminder
from shared.clock import now
from shared.events import NoticesChanged
from shared.house import Due
from shared.messaging.outbox import publish
from shared.policy import ACTIONS, GRANTED_ROLES
from shared.service import Slice

reminders = Slice()

NAMES_IN_ALERT = 50
DEPARTMENTS_IN_ALERT = 20
ISSUERS = sorted(set(ACTIONS["notice.issue"]) & set(GRANTED_ROLES))
"""Who issues by a role that was given, and so still does when the deadline comes."""


@reminders.due(REMINDER)
async def remind_before(tx: AsyncSession, row: Due) -> None:
    """The deadline is near. Where it has passed meanwhile, because nothing ran, this is missed, and the deadline speaks for itself."""
    notice, kind = await _in_force(tx, row), row.payload["kind"]
    if notice is None:
        return
    deadline_at = notice.deadline_at if kind == "before" else notice.done_deadline_at
    if deadline_at is not None and now() < deadline_at:
        await _remind(tx, notice, kind, unanswered() if kind == "before" else Recipient.done_at.is_(None))


@reminders.due(DEADLINE)
async def pass_deadline(tx: AsyncSession, row: Due) -> None:
    """Whoever has not acknowledged is reminded once more, and named to the head and to whoever issued it."""
    if (notice := await _in_force(tx, row)) is not None:
        await _pass(tx, notice, "deadline", "missing", unanswered())


@reminders.due(DONE_DEADLINE)
async def pass_done_deadline(tx: AsyncSession, row: Due) -> None:
    """The same for what was to be done by now."""
    if (notice := await _in_force(tx, row)) is not None:
        await _pass(tx, notice, "done_deadline", "not_done", Recipient.done_at.is_(None))


async def _in_force(tx: AsyncSession, row: Due) -> Notice | None:
    """The notice, held: a withdrawal in the same instant comes before this or after it."""
    notice = await tx.get(Notice, UUID(row.payload["notice_id"]), with_for_update=True)
    return notice if notice is not None and notice.withdrawn_at is None else None


async def _remind(tx: AsyncSession, notice: Notice, kind: str, which: ColumnElement[bool]) -> int:
    """Note that all these were reminded: the inbox shows it, and mail goes out. Nothing is written of each."""
    count = await tx.scalar(select(func.count()).select_from(Recipient).where(Recipient.notice_id == notice.id, which)) or 0
    noted = insert(Reminder).values(notice_id=notice.id, kind=kind, reminded_at=now(), missing_count=count).on_conflict_do_nothing()
    fresh = (await tx.execute(noted.returning(Reminder.kind))).one_or_none()
    if fresh is not None and count:
        await mail_later(tx, notice, kind)
        publish(tx, NoticesChanged(notice_id=notice.id, state="reminded"))
    return count if fresh is not None else 0


async def _pass(tx: AsyncSession, notice: Notice, kind: str, alert: AlertKind, which: ColumnElement[bool]) -> None:
    missing_count = await _remind(tx, notice, kind, which)
    if not missing_count:
        publish(tx, NoticesChanged(notice_id=notice.id, state=kind))
        return
    ids = func.array_agg(aggregate_order_by(Recipient.person_id, Recipient.person_id))
    grouped = select(Recipient.department_id, func.count().label("people_count"), ids.label("ids"))
    found = (await tx.execute(grouped.where(Recipient.notice_id == notice.id, which).group_by(Recipient.department_id))).all()
    departments = {one.id: one for one in await tx.scalars(select(KnownDepartment))}
    here = await _here(tx, departments.values(), notice.issued_by)
    said = {"title": notice.title, "title_en": notice.title_en}
    deadline_at = notice.deadline_at if alert == "missing" else notice.done_deadline_at
    said["deadline_at"] = deadline_at.isoformat() if deadline_at else None
    alerts: list[AlertWish] = []
    unreached = []
    for row in found:
        told = who_hears(row.department_id, departments, here, heads_alone=notice.about_health)
        if not told.person_ids:
            unreached.append(row.department_id)
        params = said | {"missing_count": row.people_count, "missing_ids": first_of(row.ids, NAMES_IN_ALERT), "instead_of": told.instead_of}
        alerts.append(AlertWish(alert, f"{notice.id}:{row.department_id}", told.person_ids, params, notice.id, row.department_id))
    alerts.append(await _for_the_issuer(tx, notice, alert, said, found, unreached, here))
    await open_alerts(tx, *alerts)
    publish(tx, NoticesChanged(notice_id=notice.id, state=kind))


async def _for_the_issuer(
    tx: AsyncSession,
    notice: Notice,
    alert: AlertKind,
    said: dict[str, Any],
    found: Sequence[Any],
    unreached: Sequence[UUID],
    here: Collection[UUID],
) -> AlertWish:
    """One alert with all departments, those that nobody answers for first. Where the issuer left, is a system, or was the duty officer,
    whose rights may be over by now, the leaders get it, and of a notice that says how people stand whoever keeps health records."""
    issuer = [notice.issued_by] if notice.issued_by in here and notice.issued_by else []
    stays = issuer and await tx.scalar(
        select(KnownHolder.person_id).where(KnownHolder.person_id == issuer[0], KnownHolder.roles.overlap(ISSUERS))
    )
    instead_of, whom = None, issuer
    if not stays:
        roles = ("health",) if notice.about_health else ("leader", "coordinator", "administrator")
        instead_of, whom = None if issuer else "issuer", sorted({*issuer, *(await holders_of(tx, *roles))[1]})
    rows = sorted(found, key=lambda row: (row.department_id not in unreached, -row.people_count))[:DEPARTMENTS_IN_ALERT]
    departments = [{"id": str(row.department_id), "count": row.people_count, "unreached": row.department_id in unreached} for row in rows]
    params = said | {"missing_count": sum(row.people_count for row in found), "departments": departments, "unreached_count": len(unreached)}
    return AlertWish(alert, str(notice.id), whom, params | {"instead_of": instead_of}, notice.id)


async def _here(tx: AsyncSession, departments: Collection[KnownDepartment], issued_by: UUID | None) -> set[UUID]:
    """Of those who answer for a department, and the issuer: who has not left."""
    named = {one for row in departments for one in (row.head_id, row.reporter_id, row.deputy_id, issued_by) if one}
    return set(await tx.scalars(select(KnownPerson.id).where(KnownPerson.id.in_(named), is_here())))
