"""Posts: the duties that must be covered every day, and who may hold them."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.duty.shapes import PostShown
from services.duty.tables import KnownDepartment, KnownPerson, Post
from shared.auth import Caller, require
from shared.db import Read, Tx
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Line, Listed, Version, WallTime

posts = Slice(prefix="/posts", tags=["posts"])

PostId = Annotated[UUID, Path(examples=[example_id("post")])]
Hours = Annotated[float, Field(gt=0, le=24, description="How long it lasts; 24: until the same time next day")]
HeadCount = Annotated[int, Field(ge=1, le=50)]
CountedHours = Annotated[float, Field(ge=0, le=24, description="How many of its hours count for the limit in 24; null: all")]
RestHours = Annotated[float, Field(ge=0, le=168, description="What rest must follow; null: the institution's least rest")]
Pool = Annotated[list[UUID], Field(max_length=500)]
PlaceInList = Annotated[int, Field(ge=0, le=10_000)]


class NewPost(Body):
    """A post to keep. Both pools empty: everyone may hold it."""

    name: Line
    starts_at_time: WallTime
    hours: Hours
    head_count: HeadCount = 1
    gives_rights: bool = Field(False, description="Whoever holds it has the duty officer's rights meanwhile")
    counted_hours: CountedHours | None = None
    rest_hours: RestHours | None = None
    pool_departments: Pool = Field(default=[], description="With everything below them")
    pool_people: Pool = []
    place_in_list: PlaceInList = 0

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {
                "name": "后勤夜班",
                "starts_at_time": "19:00",
                "hours": 12,
                "head_count": 2,
                "counted_hours": 10,
                "rest_hours": 24,
                "place_in_list": 2,
            }
        }
    }


class PostWish(Body):
    """What to change; a field that is not sent stays as it is. What is published already keeps the post as it was."""

    name: Line | None = None
    starts_at_time: WallTime | None = None
    hours: Hours | None = None
    head_count: HeadCount | None = None
    gives_rights: bool | None = None
    counted_hours: CountedHours | None = None
    rest_hours: RestHours | None = None
    pool_departments: Pool | None = None
    pool_people: Pool | None = None
    place_in_list: PlaceInList | None = None
    retired: bool | None = Field(None, description="A retired post is in no new roster; it can be taken up again")
    version: Version

    model_config = Body.model_config | {"json_schema_extra": {"example": {"head_count": 2, "version": 1}}}


MAY_BE_EMPTY = ("counted_hours", "rest_hours")


@posts.get("")
async def list_posts(caller: Annotated[Caller, require("post.read")], read: Read, retired: bool = False) -> Listed[PostShown]:
    """The posts in the order of the list; `retired` brings those that are in no new roster too."""
    wanted = select(Post).order_by(Post.retired, Post.place_in_list, Post.name)
    found = list(await read.scalars(wanted if retired else wanted.where(Post.retired.is_(False))))
    plans = caller.reach("post.change").everything
    items = [PostShown.model_validate(row).seen(plans=plans) for row in found]
    return Listed(items=items, total=len(found), page_size=max(len(found), 1))


@posts.post("", status_code=201)
async def add_post(wish: NewPost, caller: Annotated[Caller, require("post.change")], tx: Tx) -> PostShown:
    """Keep a post. Refused: `name_taken`; `leader_decides` (403) where it gives rights and no leader asks; 422 for a department or
    person that is not here, and for more counted hours than there are."""
    if wish.gives_rights:
        _must_entrust(caller)
    _check_hours(wish.hours, wish.counted_hours)
    await _check_pool(tx, wish.pool_departments, wish.pool_people)
    row = Post(**wish.model_dump(), retired=False, version=1)
    tx.add(row)
    await tx.flush()
    return PostShown.model_validate(row).seen(plans=True)


@posts.patch("/{post_id}")
async def change_post(post_id: PostId, wish: PostWish, caller: Annotated[Caller, require("post.change")], tx: Tx) -> PostShown:
    """Change a post, retire it or take it up again; rosters that are published keep it as it was. Refused: `changed_meanwhile`,
    `name_taken`, `not_found`; `leader_decides` (403) where somebody else would change whether it gives rights, or who may hold a post
    that does; 422 for a department or person that is not here."""
    row = await tx.get(Post, post_id, with_for_update=True)
    if row is None:
        raise Refused("not_found", 404)
    if row.version != wish.version:
        raise Refused("changed_meanwhile", 409, {"current": PostShown.model_validate(row).seen(plans=True).model_dump(mode="json")})
    given = wish.model_dump(exclude_unset=True, exclude={"version"})
    if _entrusted(row, given) != _entrusted(row, {}):
        _must_entrust(caller)
    for name, value in given.items():
        if value is None and name not in MAY_BE_EMPTY:
            raise wrong(name, "required")
        setattr(row, name, value)
    _check_hours(row.hours, row.counted_hours)
    await _check_pool(tx, given.get("pool_departments", []), given.get("pool_people", []))
    row.version += 1
    await tx.flush()
    return PostShown.model_validate(row).seen(plans=True)


def _entrusted(row: Post, given: Mapping[str, Any]) -> tuple[set[UUID], set[UUID]] | None:
    """Whom a post entrusts with the duty officer's rights, after this change; of a post that gives none, nobody."""
    if not given.get("gives_rights", row.gives_rights):
        return None
    departments, people = (given.get(name, getattr(row, name)) for name in ("pool_departments", "pool_people"))
    return set(departments or ()), set(people or ())


def _must_entrust(caller: Caller) -> None:
    if not caller.reach("post.entrust").everything:
        raise Refused("leader_decides", 403)


def _check_hours(hours: float, counted_hours: float | None) -> None:
    if counted_hours is not None and counted_hours > hours:
        raise wrong("counted_hours", "too_big", max=hours)


async def _check_pool(tx: AsyncSession, departments: list[UUID], people: list[UUID]) -> None:
    for name, table, ids in (("pool_departments", KnownDepartment, departments), ("pool_people", KnownPerson, people)):
        if ids and len(list(await tx.scalars(select(table.id).where(table.id.in_(ids))))) < len(set(ids)):
            raise wrong(name, "unknown_id")
