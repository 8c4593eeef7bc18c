"""What personnel told us of people and departments, and what it means for those who may come in."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.rules import has_left
from services.identity.tables import Account, Activation, KnownDepartment, KnownPerson, KnownProof, Look, Role, Session
from shared.clock import real_now, today
from shared.events import PEOPLE_IN_ONE, PersonState, ProofsChanged, SessionsEnded
from shared.known import blank, known_people, remember
from shared.messaging.outbox import publish


async def _changed(tx: AsyncSession, people: Sequence[PersonState]) -> None:
    """The sessions of those who left end."""
    on = today()
    if left := [person.id for person in people if has_left(person.left_on, on)]:
        await _end_sessions_of(tx, left)


async def _removed(tx: AsyncSession, gone: Sequence[UUID]) -> None:
    """Their keep time is over: accounts, codes and roles go; looks stay until theirs is, without the names of those who are gone."""
    await _end_sessions_of(tx, gone)
    await tx.execute(delete(Account).where(Account.person_id.in_(gone)))
    await tx.execute(delete(KnownProof).where(KnownProof.person_id.in_(gone)))
    await tx.execute(delete(Activation).where(Activation.person_id.in_(gone)))
    await tx.execute(delete(Role).where(Role.person_id.in_(gone)))
    by_them = update(Look).where(Look.looker_id.in_(gone)).values(looker_id=None, account_id=None, looker_name="")
    await blank(tx, by_them)
    for person_id in gone:
        at_them = update(Look).where(Look.person_ids.contains([person_id])).values(person_ids=func.array_remove(Look.person_ids, person_id))
        await blank(tx, at_them)


known = known_people(KnownPerson, KnownDepartment, {"proofs": KnownProof}, changed=_changed, removed=_removed)


@known.on(ProofsChanged)
async def remember_proofs(event: ProofsChanged, tx: AsyncSession) -> None:
    """The last four digits of phone numbers; no other service is told."""
    await remember(tx, KnownProof, event.proofs, event.telling, key=("person_id",))


async def _end_sessions_of(tx: AsyncSession, person_ids: Sequence[UUID]) -> None:
    accounts = select(Account.id).where(Account.person_id.in_(person_ids))
    ended = (
        update(Session)
        .where(Session.account_id.in_(accounts), Session.ended_at.is_(None))
        .values(ended_at=real_now())
        .returning(Session.id)
    )
    ids = list((await tx.execute(ended.execution_options(synchronize_session=False))).scalars())
    for start in range(0, len(ids), PEOPLE_IN_ONE):
        publish(tx, SessionsEnded(session_ids=ids[start : start + PEOPLE_IN_ONE]))
