"""Teams: standing groups with a leader, from which shifts are filled."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.acts import tell_team
from services.dispatch.ranking import here_on, searched
from services.dispatch.reads import brief, brief_people, must_be_here
from services.dispatch.shapes import PersonBrief, Requirement, TeamId
from services.dispatch.tables import KnownPerson, Team, TeamMember
from shared.auth import Caller, require
from shared.clock import now, today
from shared.db import Read, Tx, as_system
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.web import Body, Line, Listed, PageSize, Search, Shown, Version

teams = Slice(prefix="/teams", tags=["teams"])

Members = Annotated[list[UUID], Field(max_length=5000)]


class NewTeam(Body):
    """A team to form. `requirement` names the rule set that its people must be fit for."""

    name: Line
    leader_id: UUID | None = None
    deputy_id: UUID | None = None
    requirement: Requirement = None
    member_ids: Members = []

    model_config = Body.model_config | {"json_schema_extra": {"example": {"name": "防疫突击队", "requirement": "testing_point"}}}


class TeamWish(Body):
    """What to change; a field that is not sent stays as it is, null empties it. Without members a team is dissolved."""

    name: Line | None = None
    leader_id: UUID | None = None
    deputy_id: UUID | None = None
    requirement: Requirement = None
    member_ids: Members | None = None
    version: Version

    model_config = Body.model_config | {"json_schema_extra": {"example": {"name": "防疫突击队", "version": 1}}}


class TeamRow(Shown):
    """A team in a list. The count leaves out who has left."""

    id: UUID
    name: str
    leader: PersonBrief | None
    deputy: PersonBrief | None
    requirement: str | None
    member_count: int
    version: int


class TeamShown(TeamRow):
    """A team with its members, by name: all of them for whoever leads it or plans with it, else oneself."""

    members: list[PersonBrief]


@teams.get("")
async def list_teams(caller: Annotated[Caller, require("team.read")], read: Read) -> Listed[TeamRow]:
    """Every team that one is in, leads or plans with, by name."""
    rows = list(await read.scalars(select(Team).order_by(Team.name, Team.id)))
    counts = await _counts(read, [row.id for row in rows])
    people = await brief_people(read, {one for row in rows for one in (row.leader_id, row.deputy_id)})
    items = [TeamRow(**_head(row, people), member_count=counts.get(row.id, 0)) for row in rows]
    return Listed(items=items, total=len(items), page_size=max(len(items), 1))


@teams.post("", status_code=201)
async def form_team(wish: NewTeam, caller: Annotated[Caller, require("team.change")], tx: Tx) -> TeamShown:
    """Form a team. Refused: `team_name_taken`; 422 for somebody who is not here."""
    await must_be_here(tx, leader_id=[wish.leader_id], deputy_id=[wish.deputy_id], member_ids=wish.member_ids)
    row = Team(**wish.model_dump(exclude={"member_ids"}), version=1)
    tx.add(row)
    await tx.flush()
    await _join(tx, row, set(wish.member_ids))
    tell_team(tx, row, set(wish.member_ids))
    return await _shown(tx, row)


@teams.get("/people")
async def find_people(
    caller: Annotated[Caller, require("team.change")], read: Read, q: Search = None, page_size: PageSize = 50
) -> Listed[PersonBrief]:
    """Who is here, by letters of the name, pinyin or number: whom a team can have. The first of them; `total` says how many match."""
    found = select(KnownPerson.id).where(here_on(now()), *([searched(q)] if q else []))
    total = await read.scalar(select(func.count()).select_from(found.subquery())) or 0
    ids = list(await read.scalars(found.order_by(KnownPerson.sort_key, KnownPerson.id).limit(page_size)))
    people = await brief_people(read, ids, numbers=True)
    return Listed(items=[people[one] for one in ids], total=total, page_size=page_size)


@teams.get("/{team_id}")
async def show_team(team_id: TeamId, caller: Annotated[Caller, require("team.read")], read: Read) -> TeamShown:
    """A team. Refused: `not_found`."""
    row = await read.scalar(select(Team).where(Team.id == team_id))
    if row is None:
        raise Refused("not_found", 404)
    return await _shown(read, row)


@teams.patch("/{team_id}")
async def change_team(team_id: TeamId, wish: TeamWish, caller: Annotated[Caller, require("team.change")], tx: Tx) -> TeamShown:
    """Change a team, or who is in it. Refused: `changed_meanwhile`, `team_name_taken`, `not_found`; 422 for somebody not here."""
    row = await tx.scalar(select(Team).where(Team.id == team_id).with_for_update())
    if row is None:
        raise Refused("not_found", 404)
    if row.version != wish.version:
        raise Refused("changed_meanwhile", 409, {"current": (await _shown(tx, row)).model_dump(mode="json")})
    given = wish.model_dump(exclude_unset=True, exclude={"version", "member_ids"})
    if "name" in given and given["name"] is None:
        raise wrong("name", "required")
    before = set(await tx.scalars(select(TeamMember.person_id).where(TeamMember.team_id == team_id)))
    after = before if wish.member_ids is None else set(wish.member_ids)
    heads = {field: [given[field]] for field in ("leader_id", "deputy_id") if given.get(field) not in (None, getattr(row, field))}
    await must_be_here(tx, **heads, member_ids=after - before)
    for field, value in given.items():
        setattr(row, field, value)
    row.version += 1
    await tx.flush()
    if gone := before - after:
        await tx.execute(delete(TeamMember).where(TeamMember.team_id == team_id, TeamMember.person_id.in_(gone)))
    await _join(tx, row, after - before)
    tell_team(tx, row, after)
    return await _shown(tx, row)


async def _join(tx: AsyncSession, row: Team, person_ids: set[UUID]) -> None:
    if person_ids:
        await tx.execute(insert(TeamMember), [{"team_id": row.id, "person_id": one} for one in sorted(person_ids)])


async def _counts(read: AsyncSession, team_ids: list[UUID]) -> dict[UUID, int]:
    here = or_(KnownPerson.left_on.is_(None), KnownPerson.left_on > today())
    counted = select(TeamMember.team_id, func.count()).join(KnownPerson, KnownPerson.id == TeamMember.person_id)
    async with as_system(read):
        found = await read.execute(counted.where(TeamMember.team_id.in_(team_ids), here).group_by(TeamMember.team_id))
    return {row[0]: row[1] for row in found}


def _head(row: Team, people: dict[UUID, PersonBrief]) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "leader": brief(people, row.leader_id) if row.leader_id else None,
        "deputy": brief(people, row.deputy_id) if row.deputy_id else None,
        "requirement": row.requirement,
        "version": row.version,
    }


async def _shown(read: AsyncSession, row: Team) -> TeamShown:
    ordered = select(TeamMember.person_id).join(KnownPerson, KnownPerson.id == TeamMember.person_id)
    members = list(await read.scalars(ordered.where(TeamMember.team_id == row.id).order_by(KnownPerson.sort_key, KnownPerson.id)))
    people = await brief_people(read, {row.leader_id, row.deputy_id, *members}, numbers=True)
    heads = {one: people[one].model_copy(update={"number": None}) for one in (row.leader_id, row.deputy_id) if one in people}
    count = (await _counts(read, [row.id])).get(row.id, 0)
    return TeamShown(**_head(row, heads), member_count=count, members=[people[one] for one in members])
