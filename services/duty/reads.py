"""Questions that several slices ask: who is it, how does a week stand, and what is wrong with it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, Text, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.duty import rules
from services.duty.rules import Key, Slot
from services.duty.shapes import DutyShown, PersonBrief, PostBrief, PostShown
from services.duty.tables import Amendment, Duty, Gap, KnownDepartment, KnownPerson, Post, Roster
from shared.bookings import judge
from shared.clock import now, today, zone
from shared.refusals import Reason

ASKED_AT_MOST = 60  # of all who are called so or may hold a place: more would only be slower to read


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody as duty knows them."""

    id: UUID
    name: str
    number: str
    sort_key: str
    department_id: UUID
    department: str | None
    left_on: date | None

    def brief(self, numbers: bool = False) -> PersonBrief:
        """As pages show them; numbers for those who plan."""
        return PersonBrief(id=self.id, name=self.name, number=self.number if numbers else None, department=self.department)


People = Mapping[UUID, Known]


@dataclass(slots=True)
class Week:
    """A week as it stands: its posts, every place, and who holds it."""

    monday: date
    roster: Roster | None
    posts: list[PostShown]
    slots: list[Slot]
    duties: dict[Key, Duty]
    gaps: dict[Key, Gap] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """none, draft or published."""
        return self.roster.state if self.roster else "none"

    @property
    def version(self) -> int:
        """0 where there is nothing yet."""
        return self.roster.version if self.roster else 0

    @property
    def published(self) -> bool:
        """Does it hang on the wall?"""
        return self.state == "published"

    @property
    def held(self) -> dict[Key, UUID]:
        """Who holds which place, of those places that there are."""
        here = {slot.key for slot in self.slots}
        return {key: duty.person_id for key, duty in self.duties.items() if key in here}

    def post(self, post_id: UUID) -> PostShown:
        """One of its posts."""
        return next(post for post in self.posts if post.id == post_id)

    def slot(self, key: Key) -> Slot | None:
        """The place of this key, if there is one."""
        return next((slot for slot in self.slots if slot.key == key), None)


def standing() -> ColumnElement[bool]:
    """Duties that hold a place: not released, and nobody has taken over."""
    return and_(Duty.state != "released", Duty.relieved_at.is_(None))


async def live_posts(read: AsyncSession) -> list[PostShown]:
    """The posts in use, in the order of the list."""
    found = await read.scalars(select(Post).where(Post.retired.is_(False)).order_by(Post.place_in_list, Post.name))
    return [PostShown.model_validate(post) for post in found]


async def week_of(read: AsyncSession, monday: date, *, hold: bool = False) -> Week:
    """The week as the caller may see it. `hold` keeps its roster's row until the transaction ends."""
    wanted = select(Roster).where(Roster.monday == monday).execution_options(populate_existing=True)
    roster = (await read.scalars(wanted.with_for_update() if hold else wanted)).one_or_none()
    published = roster is not None and roster.state == "published"
    posts = [PostShown.model_validate(post) for post in (roster.posts or ())] if roster and published else await live_posts(read)
    mine = select(Duty).where(Duty.monday == monday, standing()).execution_options(populate_existing=True)
    duties = {(duty.post_id, duty.on, duty.place): duty for duty in await read.scalars(mine)} if roster else {}
    gaps = {}
    if published:
        opened = await read.scalars(select(Gap).where(Gap.monday == monday, Gap.filled_at.is_(None)))
        gaps = {(gap.post_id, gap.on, gap.place): gap for gap in opened}
    return Week(monday, roster, posts, rules.slots_of_week(monday, posts, zone()), duties, gaps)


def people_asked() -> Any:
    """The columns of `Known`, to be asked of whomever."""
    wanted = select(
        KnownPerson.id,
        KnownPerson.name,
        KnownPerson.number,
        KnownPerson.sort_key,
        KnownPerson.department_id,
        KnownDepartment.name.label("department"),
        KnownPerson.left_on,
    )
    return wanted.outerjoin(KnownDepartment, KnownDepartment.id == KnownPerson.department_id)


async def people_of(read: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, Known]:
    """These people, those that are known here."""
    wanted = set(ids)
    if not wanted:
        return {}
    return {row[0]: Known(*row) for row in await read.execute(people_asked().where(KnownPerson.id.in_(wanted)))}


def is_called(search: str) -> ColumnElement[bool]:
    """Do a name, its pinyin or a number hold these letters?"""
    said = search.replace(" ", "")
    by_pinyin = func.replace(KnownPerson.sort_key, " ", "", type_=Text()).icontains(said, autoescape=True)
    by_number = KnownPerson.number.istartswith(said, autoescape=True)
    return or_(KnownPerson.name.icontains(search, autoescape=True), by_number, by_pinyin)


async def named(read: AsyncSession, *, search: str | None, ids: Collection[UUID]) -> list[Known]:
    """Those who fit what was typed and have not left, and those of these ids, in the order of their names."""
    wanted: list[ColumnElement[bool]] = [KnownPerson.id.in_(ids)]
    if search:
        wanted.append(and_(is_called(search), or_(KnownPerson.left_on.is_(None), KnownPerson.left_on > today())))
    found = people_asked().where(or_(*wanted)).order_by(KnownPerson.sort_key, KnownPerson.number).limit(ASKED_AT_MOST + len(ids))
    return [Known(*row) for row in await read.execute(found)]


def brief(people: People, person_id: UUID | None, numbers: bool = False) -> PersonBrief | None:
    """Who it is; of whoever's record was removed, the id alone."""
    if person_id is None:
        return None
    return people[person_id].brief(numbers) if person_id in people else PersonBrief(id=person_id, name="")


def duty_shown(duty: Duty, people: People) -> DutyShown:
    """A duty as everybody may read it."""
    return DutyShown(
        id=duty.id,
        post=PostBrief(id=duty.post_id, name=duty.post_name),
        person=brief(people, duty.person_id) or PersonBrief(id=duty.person_id, name=""),
        on=duty.on,
        place=duty.place,
        starts_at=duty.starts_at,
        ends_at=duty.ends_at,
        gives_rights=duty.gives_rights,
        version=duty.version,
    )


async def reached_by(read: AsyncSession, departments: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Each of these departments with everything below it."""
    if not departments:
        return {}
    at_top = select(KnownDepartment.id.label("top"), KnownDepartment.id.label("id")).where(KnownDepartment.id.in_(departments))
    below = at_top.cte("below", recursive=True)
    child = aliased(KnownDepartment)
    below = below.union(select(below.c.top, child.id).join(child, child.parent_id == below.c.id))
    found: dict[UUID, set[UUID]] = {}
    for top, one in await read.execute(select(below.c.top, below.c.id)):
        found.setdefault(top, set()).add(one)
    return found


def ref_of(week: Week, key: Key, person_id: UUID) -> UUID:
    """By which a place that is only thought of is told from what is booked; a duty that stands has its own id."""
    duty = week.duties.get(key)
    return duty.id if duty and duty.person_id == person_id else uuid5(person_id, repr(key))


def takes_over_at(week: Week, slot: Slot, at: datetime) -> datetime:
    """From when on somebody else would hold this place of a published week: a duty that runs is handed over at once."""
    gap = week.gaps.get(slot.key)
    return max(slot.starts_at, at, gap.starts_at if gap else slot.starts_at)


def own_reasons(post: PostShown, slot: Slot, known: Known | None, reached: Mapping[UUID, set[UUID]]) -> list[Reason]:
    """What forbids somebody a place before their time is even looked at."""
    if known is None:
        return [Reason("has_left", {"left_on": None})]
    found = []
    if known.left_on is not None and slot.ends_at > rules.day_begins(known.left_on, zone()):
        found.append(Reason("has_left", {"left_on": known.left_on.isoformat()}))
    of_pool = set[UUID]().union(*(reached.get(one, set()) for one in post.pool_departments))
    if not rules.in_pool(post, known.id, known.department_id, of_pool):
        found.append(Reason("not_in_pool", {"post": post.name}))
    return found


@dataclass(frozen=True, slots=True)
class Glance:
    """What a writer must know of a week before it holds anything: its version and state, and who holds which place."""

    version: int
    state: str
    held: Mapping[Key, UUID]


async def glance_at(read: AsyncSession, monday: date) -> Glance:
    """The week at a glance, in one statement; the row of its roster is held later, after the people."""
    there = and_(Duty.monday == Roster.monday, standing())
    wanted = select(Roster.version, Roster.state, Duty.post_id, Duty.on, Duty.place, Duty.person_id).outerjoin(Duty, there)
    rows = (await read.execute(wanted.where(Roster.monday == monday))).all()
    if not rows:
        return Glance(0, "none", {})
    return Glance(rows[0][0], rows[0][1], {(row[2], row[3], row[4]): row[5] for row in rows if row[5] is not None})


async def problems_of(
    read: AsyncSession,
    week: Week,
    held: Mapping[Key, UUID],
    people: People,
    *,
    without: Collection[UUID] = (),
    last: Collection[Key] = (),
) -> dict[Key, list[Reason]]:
    """What is wrong with each of these places if these people held them; places in order are left out. Of two that cannot go together
    the later one is at fault, or the one of `last`. `without`: bookings that would be released first."""
    asked = [(slot, held[slot.key], _begins_at(week, slot, held[slot.key])) for slot in week.slots if slot.key in held]
    asked.sort(key=lambda one: (one[0].key in last, one[2]))
    found = {slot.key: [Reason("over")] for slot, _, begins_at in asked if begins_at >= slot.ends_at}
    asked = [one for one in asked if one[0].key not in found]
    posts = {post.id: post for post in week.posts}
    reached = await reached_by(read, {one for slot, *_ in asked for one in posts[slot.post_id].pool_departments})
    spans = [
        rules.time_of(slot, posts[slot.post_id], ref_of(week, slot.key, person_id), person_id, begins_at)
        for slot, person_id, begins_at in asked
    ]
    own = {span.ref for span in spans}  # what is booked of these already is not met twice
    verdicts = await judge(read, spans, without=own | set(without))
    for (slot, person_id, _), verdict in zip(asked, verdicts, strict=True):
        if reasons := [*own_reasons(posts[slot.post_id], slot, people.get(person_id), reached), *verdict]:
            found[slot.key] = reasons
    return found


def _begins_at(week: Week, slot: Slot, person_id: UUID) -> datetime:
    duty = week.duties.get(slot.key)
    if duty is not None and duty.person_id == person_id and week.published:
        return duty.starts_at
    return takes_over_at(week, slot, now()) if week.published else slot.starts_at


async def amendments_of(read: AsyncSession, monday: date) -> Sequence[Amendment]:
    """How a week was amended, the latest first."""
    return (await read.scalars(select(Amendment).where(Amendment.monday == monday).order_by(Amendment.at.desc(), Amendment.id))).all()
