"""Which rows a caller may see, a line a table; the session adds it to every statement."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from services.notifications.tables import (
    Alert,
    AlertPerson,
    Correction,
    Delivery,
    KnownAssignment,
    KnownContact,
    KnownDepartment,
    KnownHolder,
    KnownPerson,
    KnownShift,
    KnownTeam,
    Notice,
    NoticeDepartment,
    Recipient,
    Record,
    Reminder,
    Webhook,
)
from shared.auth import Caller
from shared.below import with_everything_below
from shared.db import Scope

Limit = ColumnElement[bool] | None
_ISSUED, _NUMBERS = Notice.__table__, NoticeDepartment.__table__  # core: a limit is itself not limited again
_MINE, _ALERTED = Recipient.__table__, AlertPerson.__table__


def _own(person_id: InstrumentedAttribute[UUID], caller: Caller) -> ColumnElement[bool]:
    return person_id == caller.person_id if caller.person_id else false()


def _of_department(department_id: Any, caller: Caller) -> ColumnElement[bool]:
    departments = caller.reach("notice.progress").departments
    return department_id.in_(with_everything_below(KnownDepartment, departments)) if departments else false()


def _all_progress(caller: Caller) -> bool:
    return caller.reach("notice.progress").everything or caller.reach("notice.issue").everything


def _notices(caller: Caller) -> Limit:
    if _all_progress(caller):
        return None
    mine = select(_MINE.c.notice_id).where(_MINE.c.person_id == caller.person_id)
    theirs = select(_NUMBERS.c.notice_id).where(_of_department(_NUMBERS.c.department_id, caller))
    reached = [Notice.id.in_(mine)] if caller.person_id else []
    if caller.reach("notice.progress").departments:
        reached.append(Notice.id.in_(theirs))
    return or_(false(), *reached)


def _counted(person_id: InstrumentedAttribute[UUID] | None, department_id: Any) -> Callable[[Caller], Limit]:
    """One's own rows, those of the departments one answers for, or all."""

    def limit(caller: Caller) -> Limit:
        if _all_progress(caller):
            return None
        own = _own(person_id, caller) if person_id is not None else false()
        return or_(own, _of_department(department_id, caller))

    return limit


def _of_notices(notice_id: Any) -> Callable[[Caller], Limit]:
    """What belongs to a notice that one may see."""

    def limit(caller: Caller) -> Limit:
        seen = _notices(caller)
        return None if seen is None else notice_id.in_(select(_ISSUED.c.id).where(seen))

    return limit


def _alerts(caller: Caller) -> Limit:
    if not caller.person_id:
        return false()
    return Alert.id.in_(select(_ALERTED.c.alert_id).where(_ALERTED.c.person_id == caller.person_id))


def _webhooks(caller: Caller) -> Limit:
    return None if caller.reach("webhook.change").everything else false()


def _assignments(caller: Caller) -> Limit:
    return None if caller.reach("assignment.read").everything else _own(KnownAssignment.person_id, caller)


SCOPE: Scope = {
    Notice: _notices,
    Recipient: _counted(Recipient.person_id, Recipient.department_id),
    NoticeDepartment: _counted(None, NoticeDepartment.department_id),
    Record: _counted(Record.person_id, Record.department_id),
    Correction: lambda caller: None,  # found through its record alone
    Reminder: _of_notices(Reminder.notice_id),
    Delivery: lambda caller: None if _all_progress(caller) else _own(Delivery.person_id, caller),
    Alert: _alerts,
    AlertPerson: lambda caller: _own(AlertPerson.person_id, caller),
    Webhook: _webhooks,
    KnownPerson: lambda caller: None,
    KnownDepartment: lambda caller: None,
    KnownContact: lambda caller: false(),  # asked for by the system alone, behind a slice's door
    KnownHolder: lambda caller: false(),
    KnownTeam: lambda caller: None,
    KnownShift: lambda caller: None,
    KnownAssignment: _assignments,
}
