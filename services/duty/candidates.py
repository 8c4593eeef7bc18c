"""Candidates: who may hold a place, with what forbids each, for whoever types a name into the grid."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query

from services.duty import rules
from services.duty.ranking import Asked, candidates_for, shown_candidate
from services.duty.reads import named
from services.duty.shapes import CandidateShown, PersonBrief, PostShown
from services.duty.tables import Post
from shared.auth import Caller, require
from shared.clock import zone
from shared.db import Read
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Listed, Search

candidates = Slice(tags=["candidates"])

NOBODY_YET = UUID(int=0)
IDS_AT_MOST = 500


@candidates.get("/people")
async def list_candidates(
    caller: Annotated[Caller, require("roster.plan")],
    read: Read,
    post_id: Annotated[UUID, Query(examples=[example_id("post")])],
    on: Annotated[date, Query(examples=["2021-08-05"])],
    q: Search = None,
) -> Listed[CandidateShown]:
    """Who may hold a post on a day, the best first: free and rested, then with the fewest hours in 28 days (for a weekend, of weekends).
    `q` is what was typed: letters of a name, pinyin, or a number. At most 60. Refused: `not_found`; 422 for a day without that time."""
    post = await read.get(Post, post_id)
    if post is None:
        raise Refused("not_found", 404)
    shown = PostShown.model_validate(post)
    slots = rules.slots_of(shown, on, zone()) if date(2000, 1, 1) <= on <= date(2200, 1, 1) else []
    if not slots:
        raise wrong("on", "no_such_time")
    [found] = await candidates_for(read, Asked(shown, rules.time_of(slots[0], shown, NOBODY_YET, NOBODY_YET)), search=q)
    return Listed(items=[shown_candidate(*one) for one in found], total=len(found), page_size=max(len(found), 1))


@candidates.get("/people/named")
async def list_named(
    caller: Annotated[Caller, require("post.change")],
    read: Read,
    q: Search = None,
    ids: Annotated[list[UUID], Query(max_length=IDS_AT_MOST, examples=[[example_id("person")]])] = [],  # noqa: B006 pydantic copies it
) -> Listed[PersonBrief]:
    """Who may be named in a pool: those who fit what was typed (letters of a name, pinyin, or a number), at most 60, or those of these
    ids. Whoever has left is not among those found."""
    found = await named(read, search=q, ids=ids)
    return Listed(items=[one.brief(numbers=True) for one in found], total=len(found), page_size=max(len(found), 1))
