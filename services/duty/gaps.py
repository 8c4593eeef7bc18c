"""Gaps: where somebody fell out of a published duty, whom to ask, and who stands in."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path
from sqlalchemy import func, select

from services.duty import rules
from services.duty.acts import stand_in
from services.duty.ranking import Asked, Found, candidates_for, shown_candidate
from services.duty.reads import Known, brief, duty_shown, people_of, week_of
from services.duty.shapes import CandidateShown, DutyShown, PersonBrief, PostBrief, PostShown
from services.duty.tables import Gap, Roster
from shared.auth import Caller, require
from shared.bookings import hold_time_of
from shared.clock import now, zone
from shared.db import Read, Tx
from shared.messaging.outbox import publish_all
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Listed, Note, Shown

gaps = Slice(prefix="/gaps", tags=["gaps"])

GapId = Annotated[UUID, Path(examples=[example_id("gap")])]
LISTED_AT_MOST = 20
ASKED_OF_EACH = 20


class GapShown(Shown):
    """A place that is open because somebody fell out, and who may stand in, the best first."""

    id: UUID
    monday: date
    post: PostBrief
    on: date
    place: int
    starts_at: datetime
    ends_at: datetime
    person: PersonBrief
    because: Literal["left", "unavailable"]
    opened_at: datetime
    candidates: list[CandidateShown]


class FillingWish(Body):
    """Who stands in."""

    person_id: UUID
    reason: Note | None = None

    model_config = Body.model_config | {"json_schema_extra": {"example": {"person_id": example_id("person"), "reason": "电话确认"}}}


@gaps.get("")
async def list_gaps(caller: Annotated[Caller, require("roster.plan")], read: Read) -> Listed[GapShown]:
    """Open gaps that are not over yet, the soonest first, at most 20 (`total`: how many there are), each with up to 20 who may stand in:
    free and rested first."""
    wanted = (
        select(Gap, Roster, func.count().over())
        .join(Roster, Roster.monday == Gap.monday)
        .where(Gap.filled_at.is_(None), Gap.ends_at > now())
    )
    rows = (await read.execute(wanted.order_by(Gap.starts_at, Gap.id).limit(LISTED_AT_MOST))).all()
    asked = [_asked(gap, roster) for gap, roster, _ in rows]
    found = await candidates_for(read, *asked, most=ASKED_OF_EACH)
    people = await people_of(read, (gap.person_id for gap, *_ in rows))
    items = [_shown(gap, place.post, people, ranked) for (gap, *_), place, ranked in zip(rows, asked, found, strict=True)]
    return Listed(items=items, total=rows[0][2] if rows else 0, page_size=LISTED_AT_MOST)


@gaps.post("/{gap_id}/filling")
async def fill_gap(gap_id: GapId, wish: FillingWish, caller: Annotated[Caller, require("roster.plan")], tx: Tx) -> DutyShown:
    """Somebody stands in; a duty that runs already is theirs from now on. Refused: what forbids it (`overlap`, `unavailable`,
    `too_little_rest`, `too_many_hours`, `not_in_pool`, `has_left`), `filled_already`, `over`, `not_found`; 422 for a person who is not
    here."""
    gap = await tx.get(Gap, gap_id)
    if gap is None:
        raise Refused("not_found", 404)
    await hold_time_of(tx, wish.person_id)  # before it is read who they are: they may be leaving
    people = await people_of(tx, [wish.person_id])
    if wish.person_id not in people:
        raise wrong("person_id", "unknown_id")
    week = await week_of(tx, gap.monday, hold=True)
    key = (gap.post_id, gap.on, gap.place)
    if (here := week.gaps.get(key)) is None or here.id != gap_id:
        raise Refused("filled_already", 409)
    if here.ends_at <= now():
        raise Refused("over", 409)
    events = await stand_in(tx, here, week, people[wish.person_id], wish.reason or "", caller)
    await tx.flush()
    await publish_all(tx, events)
    return duty_shown(week.duties[key], people)


def _asked(gap: Gap, roster: Roster) -> Asked:
    post = PostShown.model_validate(next(one for one in roster.posts or () if one["id"] == str(gap.post_id)))
    slot = next(one for one in rules.slots_of(post, gap.on, zone()) if one.place == gap.place)
    return Asked(post, rules.time_of(slot, post, gap.id, gap.person_id, max(gap.starts_at, now())))


def _shown(gap: Gap, post: PostShown, people: Mapping[UUID, Known], found: Found) -> GapShown:
    return GapShown(
        id=gap.id,
        monday=gap.monday,
        post=PostBrief(id=post.id, name=post.name),
        on=gap.on,
        place=gap.place,
        starts_at=gap.starts_at,
        ends_at=gap.ends_at,
        person=brief(people, gap.person_id, numbers=True) or PersonBrief(id=gap.person_id, name=""),
        because=gap.because,  # type: ignore[arg-type]
        opened_at=gap.opened_at,
        candidates=_candidates(found),
    )


def _candidates(found: Sequence[tuple[Known, rules.Ranked]]) -> list[CandidateShown]:
    return [shown_candidate(*one) for one in found]
