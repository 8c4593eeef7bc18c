"""Retell: dispatch tells again its teams, its shifts and who is on them. `python -m services.dispatch.retell`."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.acts import publish_assignments, tell_shifts, tell_team
from services.dispatch.scope import SCOPE
from services.dispatch.tables import Assignment, Shift, Team, TeamMember
from shared.auth import SYSTEM
from shared.db import Database
from shared.retell import tell_again

AT_ONCE = 5000


async def retell(database: Database) -> tuple[int, int, int]:
    """Tell everything anew as one consistent moment; answers how many teams, shifts and assignments. None of them is ever removed, so
    there is nothing that receivers would have to forget: the newer version wins, and what they hold already stays."""
    async with database.transaction(SYSTEM) as tx:
        await tx.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return await _tell_teams(tx), await _tell_shifts(tx), await _tell_assignments(tx)


async def _tell_teams(tx: AsyncSession) -> int:
    listed = select(TeamMember.team_id, func.array_agg(TeamMember.person_id)).group_by(TeamMember.team_id)
    members = {row[0]: row[1] for row in await tx.execute(listed)}
    teams = list(await tx.scalars(select(Team).order_by(Team.id)))
    for team in teams:
        tell_team(tx, team, members.get(team.id, []))
    return len(teams)


async def _tell_shifts(tx: AsyncSession) -> int:
    count, after = 0, UUID(int=0)
    while found := list(await tx.scalars(select(Shift).where(Shift.id > after).order_by(Shift.id).limit(AT_ONCE))):
        await tell_shifts(tx, found)
        count, after = count + len(found), found[-1].id
        tx.expunge_all()
    return count


async def _tell_assignments(tx: AsyncSession) -> int:
    count, after = 0, UUID(int=0)
    while found := list(await tx.scalars(select(Assignment).where(Assignment.id > after).order_by(Assignment.id).limit(AT_ONCE))):
        publish_assignments(tx, found, retold=True)
        count, after = count + len(found), found[-1].id
        tx.expunge_all()
    return count


if __name__ == "__main__":
    tell_again(SCOPE, retell, lambda told: f"told {told[0]} teams, {told[1]} shifts and {told[2]} assignments again")
