"""The small institution as duty was told of it, and the posts and weeks that several tests begin with."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx

from services.duty.shapes import PostShown
from services.duty.tables import Amendment, Duty, Feed, Gap, Post, Roster
from shared.auth import Caller
from shared.clock import now
from shared.events import DepartmentsChanged, PeopleChanged
from tests.doors import Door
from tests.people import DUTY_PLANNER, FANG_JIBAI, JIANG_CAIWEI, LEADER, LIANG_YUAN, PEOPLE, Person
from tests.services.let_in import departments, state_of
from tests.services.matrix import uuid_of

PLANNER = DUTY_PLANNER
SEEDED = date(2021, 8, 2)  # the week in which the tests stand
MONDAY = date(2021, 8, 9)  # the week after the one in which the tests stand
OFFICER = {
    "name": "值班员",
    "starts_at_time": "08:00",
    "hours": 24,
    "head_count": 1,
    "gives_rights": True,
    "counted_hours": 12,
    "rest_hours": 24,
}
GATE = {"name": "门岗", "starts_at_time": "08:00", "hours": 4, "head_count": 2, "place_in_list": 1}
IN_TURN = (LIANG_YUAN, JIANG_CAIWEI, FANG_JIBAI)  # each rests two days


def day(number: int, monday: date = MONDAY) -> str:
    """The n-th day of the week, from 0."""
    return (monday + timedelta(days=number)).isoformat()


async def people(duty: Door) -> None:
    """Duty was told of everybody."""
    await duty.hears(DepartmentsChanged(departments=departments()))
    await duty.hears(PeopleChanged(people=[state_of(person) for person in PEOPLE]))


async def post(duty: Door, **changes: Any) -> dict[str, Any]:
    """A leader keeps a post; an officer for 24 hours unless the test says otherwise."""
    answer = await duty.post("/posts", changes if "name" in changes else {**OFFICER, **changes}, LEADER)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def wish(post_id: Any, on: str, person: Person | None, place: int = 1) -> dict[str, Any]:
    """Who shall hold a place."""
    return {"post_id": str(post_id), "on": on, "place": place, "person_id": str(person.id) if person else None}


def in_turn(post_id: Any, monday: date = MONDAY) -> list[dict[str, Any]]:
    """Three people hold a week in turn."""
    return [wish(post_id, day(number, monday), IN_TURN[number % 3]) for number in range(7)]


async def fill(duty: Door, slots: list[dict[str, Any]], version: int = 0, monday: date = MONDAY, **more: Any) -> httpx.Response:
    """The planner fills places."""
    return await duty.put(f"/rosters/{monday}/slots", {"version": version, "slots": slots, **more}, PLANNER)


async def publish(duty: Door, version: int = 1, monday: date = MONDAY, who: Caller = PLANNER) -> httpx.Response:
    """The planner publishes."""
    return await duty.post(f"/rosters/{monday}/publication", {"version": version}, who)


async def published(duty: Door, monday: date = MONDAY) -> dict[str, Any]:
    """A week with one officer's post, held in turn, hangs on the wall."""
    kept = await post(duty)
    filled = await fill(duty, in_turn(kept["id"], monday), monday=monday)
    assert filled.status_code == 200, filled.text
    answer = await publish(duty, filled.json()["version"], monday)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def read(duty: Door, who: Caller = PLANNER, monday: date = MONDAY) -> dict[str, Any]:
    """The week as somebody sees it."""
    answer = await duty.get(f"/rosters/{monday}", who)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def holders(roster: Mapping[str, Any]) -> list[str | None]:
    """Who holds the places, in their order."""
    return [slot["person"]["name"] if slot["person"] else None for slot in roster["slots"]]


def codes(roster: Mapping[str, Any]) -> dict[tuple[str, int], list[str]]:
    """What is wrong, by day and place."""
    wrong = {(slot["on"], slot["place"]): [one["code"] for one in slot["problems"]] for slot in roster["slots"]}
    return {where: found for where, found in wrong.items() if found}


def duty_of(roster: Mapping[str, Any], number: int) -> UUID:
    """The id of the duty of the n-th day."""
    return UUID(next(slot["duty_id"] for slot in roster["slots"] if slot["on"] == day(number, date.fromisoformat(roster["monday"]))))


async def seed_duty(duty: Door) -> None:
    """Everybody holds a post of their own this week, fell out of another, and has a link; a draft of the next week stands too."""
    await people(duty)
    async with duty.rows() as tx:
        tx.add(Roster(monday=SEEDED, state="published", posts=[], version=1, published_at=now()))
        tx.add(Roster(monday=MONDAY, state="draft", version=1))
        posts = [_seeded_post(person, number) for number, person in enumerate(PEOPLE)]
        tx.add_all(posts)
        await tx.flush()
        for person, kept in zip(PEOPLE, posts, strict=True):
            place: dict[str, Any] = {"post_id": kept.id, "place": 1, "person_id": person.id}
            spans = {"starts_at": now(), "ends_at": now() + timedelta(hours=8)}
            told = {"post_name": kept.name, "gives_rights": False, "version": 1, **spans}
            tx.add(Duty(monday=SEEDED, on=SEEDED, state="published", **place, **told))
            tx.add(Duty(monday=MONDAY, on=MONDAY, state="draft", **place, **told))
            amended = {"post_id": kept.id, "post_name": kept.name, "place": 1, "because": "amended", "reason": f"{person.name}的原因"}
            tx.add(Amendment(monday=SEEDED, on=SEEDED, old_person_id=person.id, new_person_id=None, by_name="x", at=now(), **amended))
            fell_out = {"monday": SEEDED, "on": SEEDED + timedelta(days=3), "because": "left", "opened_at": now()}
            tx.add(Gap(id=uuid_of("gap_id", person), **place, **fell_out, **spans))
            tx.add(Feed(id=uuid_of("feed_id", person), person_id=person.id, secret_hash=person.number, made_at=now()))
        roster = await tx.get_one(Roster, SEEDED)
        roster.posts = [PostShown.model_validate(kept).model_dump(mode="json") for kept in posts]


def _seeded_post(person: Person, number: int) -> Post:
    kept = {"starts_at_time": "08:00", "hours": 8, "head_count": 1, "gives_rights": False, "retired": False, "version": 1}
    pool: dict[str, list[UUID]] = {"pool_departments": [], "pool_people": []}
    return Post(id=uuid_of("post_id", person), name=f"岗位{number}", place_in_list=number, **kept, **pool)
