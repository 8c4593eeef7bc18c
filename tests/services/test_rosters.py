"""Rosters: a draft keeps its problems, what is published has no gap and breaks no rule, and amendments stay on record."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.bookings import Span, block, book, hold_time_of, taken
from shared.clock import set_now
from shared.events import DutiesChanged, PeopleChanged
from shared.refusals import Refused
from tests.doors import Door, errors_of
from tests.people import FANG_JIBAI, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, STAFF, TEACHING, Person
from tests.services.duties import (
    GATE,
    IN_TURN,
    MONDAY,
    PLANNER,
    codes,
    day,
    fill,
    holders,
    in_turn,
    people,
    post,
    publish,
    published,
    read,
    wish,
)
from tests.services.let_in import state_of

EIGHT = datetime(2021, 8, 9, 0, tzinfo=UTC)  # 08:00 on the Monday, in Shanghai


async def assigned(dispatch: Door, person: Person, begin: float, end: float) -> UUID:
    """The person is on a shift, so many hours after 08:00 of the Monday."""
    ref = uuid4()
    async with dispatch.rows() as tx:
        await hold_time_of(tx, person.id)
        await book(tx, Span(ref, person.id, EIGHT + timedelta(hours=begin), EIGHT + timedelta(hours=end), "assignment"))
    return ref


async def booked(duty: Door, person: Person) -> list[tuple[datetime, datetime]]:
    async with duty.rows() as tx:
        return [(one.starts_at, one.ends_at) for one in await taken(tx, [person.id], EIGHT - timedelta(9), EIGHT + timedelta(14))]


async def test_a_week_that_nobody_planned_shows_its_places_to_the_planner_and_nothing_to_others(duty: Door) -> None:
    await people(duty)
    await post(duty, **GATE)

    planner, staff = await read(duty), await read(duty, STAFF)

    assert (planner["state"], planner["version"], planner["gap_count"], len(planner["slots"])) == ("none", 0, 14, 14)
    assert planner["slots"][0]["starts_at"] == "2021-08-09T00:00:00Z"
    assert planner["days"] == [day(number) for number in range(7)]
    assert (staff["state"], staff["slots"], staff["posts"]) == ("none", [], [])


async def test_a_draft_is_saved_with_its_problems_and_seen_by_planners_alone(duty: Door) -> None:
    await people(duty)
    kept = await post(duty)

    answer = await fill(duty, [wish(kept["id"], day(0), LIANG_YUAN), wish(kept["id"], day(1), LIANG_YUAN)])

    assert answer.status_code == 200, answer.text
    draft = answer.json()
    assert (draft["state"], draft["version"], draft["gap_count"], draft["problem_count"]) == ("draft", 1, 5, 1)
    assert codes(draft) == {(day(1), 1): ["too_little_rest"]}
    assert await read(duty) == draft
    hidden = await read(duty, STAFF)
    assert (hidden["state"], hidden["slots"], hidden["version"]) == ("none", [], 0)
    assert await booked(duty, LIANG_YUAN) == []


async def test_a_place_of_a_draft_can_be_given_to_another_and_emptied(duty: Door) -> None:
    await people(duty)
    kept = await post(duty)
    await fill(duty, in_turn(kept["id"]))

    answer = await fill(duty, [wish(kept["id"], day(0), GU_CHANGTING), wish(kept["id"], day(1), None)], 1)

    assert holders(answer.json())[:3] == [GU_CHANGTING.name, None, FANG_JIBAI.name]


async def test_while_typing_it_is_checked_and_nothing_is_saved(duty: Door) -> None:
    await people(duty)
    kept = await post(duty, pool_departments=[str(TEACHING.id)])
    await fill(duty, in_turn(kept["id"]))
    typed = {"slots": [wish(kept["id"], day(1), LIANG_YUAN), wish(kept["id"], day(2), GU_CHANGTING), wish(kept["id"], day(4), None)]}

    answer = await duty.post(f"/rosters/{MONDAY}/check", typed, PLANNER)

    said = answer.json()
    assert {one["on"]: [problem["code"] for problem in one["problems"]] for one in said["problems"]} == {
        day(1): ["too_little_rest"],
        day(2): ["not_in_pool"],
    }
    assert (said["gap_count"], said["problem_count"]) == (1, 2)
    assert (await read(duty))["problem_count"] == 0


async def test_no_publication_with_a_gap(duty: Door) -> None:
    await people(duty)
    kept = await post(duty)
    await fill(duty, in_turn(kept["id"])[:6])

    answer = await publish(duty)

    assert (answer.status_code, answer.json()["code"]) == (409, "gaps")
    [(field, code, params)] = errors_of(answer)
    assert (field, code) == (f"slots.{kept['id']}.{day(6)}.1", "gap")
    assert (params["post"], params["on"], params["person"]) == ("值班员", day(6), None)
    assert await booked(duty, LIANG_YUAN) == []


async def test_what_is_published_hangs_on_the_wall_is_booked_and_is_told(duty: Door) -> None:
    await people(duty)

    roster = await published(duty)

    assert (roster["state"], roster["gap_count"]) == ("published", 0)
    seen = await read(duty, STAFF)
    assert holders(seen) == [IN_TURN[number % 3].name for number in range(7)]
    assert seen["slots"][0]["person"]["number"] is None
    assert await booked(duty, LIANG_YUAN) == [(EIGHT + timedelta(n), EIGHT + timedelta(n + 1)) for n in (0, 3, 6)]
    [told] = await duty.told(DutiesChanged)
    assert len(told.duties) == 7
    assert {(one.state, one.gives_rights, one.ends_at - one.starts_at) for one in told.duties} == {("published", True, timedelta(hours=24))}
    again = await publish(duty, 2)
    assert again.json()["code"] == "published_already"


async def test_a_roster_whose_duty_meets_an_assignment_is_refused_with_names(duty: Door, dispatch: Door) -> None:
    await people(duty)
    kept = await post(duty)
    ref = await assigned(dispatch, JIANG_CAIWEI, 30, 34)
    filled = await fill(duty, in_turn(kept["id"]))

    answer = await publish(duty)

    assert codes(filled.json()) == {(day(1), 1): ["overlap", "too_many_hours"]}
    assert (answer.status_code, answer.json()["code"]) == (409, "clashes")
    [met] = answer.json()["params"]["assignments"]
    assert (met["person"], met["ref"], met["starts_at"]) == (JIANG_CAIWEI.name, str(ref), (EIGHT + timedelta(hours=30)).isoformat())
    assert {(code, params["person"], params["on"]) for _, code, params in errors_of(answer)} == {
        ("overlap", JIANG_CAIWEI.name, day(1)),
        ("too_many_hours", JIANG_CAIWEI.name, day(1)),
    }
    assert (await read(duty, STAFF))["state"] == "none"


async def test_rest_counts_what_dispatch_booked_and_a_free_minute_is_none(duty: Door, dispatch: Door) -> None:
    await people(duty)
    kept = await post(duty, **GATE)
    await assigned(dispatch, LIANG_YUAN, 8, 12)  # four hours after the duty: too little
    await assigned(dispatch, JIANG_CAIWEI, 4, 6)  # begins as the duty ends: one stretch

    answer = await fill(duty, [wish(kept["id"], day(0), LIANG_YUAN), wish(kept["id"], day(0), JIANG_CAIWEI, 2)])

    assert codes(answer.json()) == {(day(0), 1): ["too_little_rest"]}


async def test_whoever_cannot_be_had_is_not_published(duty: Door, personnel: Door) -> None:
    await people(duty)
    kept = await post(duty)
    async with personnel.rows() as tx:
        await block(tx, Span(uuid4(), FANG_JIBAI.id, EIGHT + timedelta(2), EIGHT + timedelta(4), "unavailable"))

    await fill(duty, in_turn(kept["id"]))
    answer = await publish(duty)

    assert [(code, params["person"]) for _, code, params in errors_of(answer)] == [("unavailable", FANG_JIBAI.name)]


async def test_whoever_leaves_is_a_problem_from_that_day_on(duty: Door) -> None:
    await people(duty)
    kept = await post(duty)
    left = state_of(LIANG_YUAN, left_on=date.fromisoformat(day(4)), version=2)
    await duty.hears(PeopleChanged(people=[left]))

    answer = await fill(duty, in_turn(kept["id"]))

    assert codes(answer.json()) == {(day(3), 1): ["has_left"], (day(6), 1): ["has_left"]}


async def test_two_planners_at_once(duty: Door) -> None:
    await people(duty)
    kept = await post(duty)

    answers = await asyncio.gather(*(fill(duty, in_turn(kept["id"])[:number]) for number in range(1, 7)))
    await fill(duty, in_turn(kept["id"]), 1)
    publications = await asyncio.gather(*(publish(duty, 2) for _ in range(4)))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 5}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"changed_meanwhile"}
    assert Counter(answer.status_code for answer in publications) == {200: 1, 409: 3}
    assert len(await booked(duty, LIANG_YUAN)) == 3


async def test_an_amendment_needs_a_reason_and_keeps_old_new_and_reason(duty: Door) -> None:
    await people(duty)
    roster = await published(duty)
    post_id = roster["posts"][0]["id"]

    without = await fill(duty, [wish(post_id, day(2), GU_CHANGTING)], roster["version"])
    answer = await fill(duty, [wish(post_id, day(2), GU_CHANGTING)], roster["version"], reason="方既白出差")

    assert errors_of(without) == [("reason", "required", {})]
    assert answer.status_code == 200, answer.text
    amended = answer.json()
    [noted] = amended["amendments"]
    assert (noted["old"]["name"], noted["new"]["name"], noted["reason"], noted["on"]) == (
        FANG_JIBAI.name,
        GU_CHANGTING.name,
        "方既白出差",
        day(2),
    )
    assert amended["version"] == roster["version"] + 1
    assert await booked(duty, FANG_JIBAI) == [(EIGHT + timedelta(5), EIGHT + timedelta(6))]
    assert await booked(duty, GU_CHANGTING) == [(EIGHT + timedelta(2), EIGHT + timedelta(3))]
    told = (await duty.told(DutiesChanged))[-1].duties
    assert sorted((one.state, one.person_id == GU_CHANGTING.id) for one in told) == [("published", True), ("released", False)]
    on_the_wall = (await read(duty, STAFF))["amendments"][0]
    assert (on_the_wall["reason"], on_the_wall["new"]["name"]) == (None, GU_CHANGTING.name)


async def test_an_amendment_that_leaves_a_gap_or_breaks_a_rule_is_refused_as_a_whole(duty: Door) -> None:
    await people(duty)
    roster = await published(duty)
    post_id, version = roster["posts"][0]["id"], roster["version"]

    emptied = await fill(duty, [wish(post_id, day(2), None), wish(post_id, day(4), GU_CHANGTING)], version, reason="x")
    tired = await fill(duty, [wish(post_id, day(1), LIANG_YUAN), wish(post_id, day(4), GU_CHANGTING)], version, reason="x")

    assert (emptied.status_code, emptied.json()["code"]) == (409, "gaps")
    assert (tired.status_code, tired.json()["code"]) == (409, "clashes")
    assert {code for _, code, _ in errors_of(tired)} == {"too_little_rest"}
    assert await read(duty) == roster


async def test_two_people_exchange_their_duties_in_one_amendment(duty: Door) -> None:
    await people(duty)
    roster = await published(duty)
    post_id = roster["posts"][0]["id"]
    swap = [wish(post_id, day(5), LIANG_YUAN), wish(post_id, day(6), FANG_JIBAI), wish(post_id, day(3), GU_CHANGTING)]

    answer = await fill(duty, swap, roster["version"], reason="互换")

    assert answer.status_code == 200, answer.text
    assert holders(answer.json())[3:] == [GU_CHANGTING.name, JIANG_CAIWEI.name, LIANG_YUAN.name, FANG_JIBAI.name]
    assert len(answer.json()["amendments"]) == 3


async def test_a_duty_that_runs_is_handed_over_now_and_what_is_over_stays(duty: Door) -> None:
    await people(duty)
    roster = await published(duty)
    post_id = roster["posts"][0]["id"]
    noon = EIGHT + timedelta(days=2, hours=4)
    set_now(noon)

    answer = await fill(duty, [wish(post_id, day(2), GU_CHANGTING)], roster["version"], reason="突发疾病")
    over = await fill(duty, [wish(post_id, day(0), PAN_XIANGYE)], answer.json()["version"], reason="x")

    assert answer.status_code == 200, answer.text
    [(begun, handed_over), _] = await booked(duty, FANG_JIBAI)
    [(took_over, ended)] = await booked(duty, GU_CHANGTING)
    assert begun == EIGHT + timedelta(2)
    assert handed_over == took_over
    assert noon <= took_over < noon + timedelta(seconds=30)
    assert ended == EIGHT + timedelta(3)
    [now_on] = (await duty.get("/now", STAFF)).json()["items"]
    assert now_on["person"]["name"] == GU_CHANGTING.name
    assert [code for _, code, _ in errors_of(over)] == ["over"]


async def test_a_published_week_keeps_its_posts_as_they_were(duty: Door) -> None:
    await people(duty)
    roster = await published(duty)
    post_id = roster["posts"][0]["id"]

    await duty.patch(f"/posts/{post_id}", {"head_count": 3, "starts_at_time": "20:00", "version": 1}, PLANNER)
    await post(duty, **GATE)

    assert await read(duty) == roster
    following = MONDAY + timedelta(7)
    assert (await read(duty, monday=following))["gap_count"] == 7 * (3 + 2)


async def test_a_week_is_copied_into_the_empty_places_of_a_draft(duty: Door) -> None:
    await people(duty)
    roster = await published(duty)
    post_id, following = roster["posts"][0]["id"], MONDAY + timedelta(7)
    await fill(duty, [wish(post_id, day(1, following), GU_CHANGTING)], 0, following)

    answer = await duty.post(f"/rosters/{following}/copy", {"from_monday": str(MONDAY)}, PLANNER)
    again = await duty.post(f"/rosters/{following}/copy", {"from_monday": str(MONDAY)}, PLANNER)
    onto_itself = await duty.post(f"/rosters/{MONDAY}/copy", {"from_monday": str(following)}, PLANNER)

    assert answer.status_code == 200, answer.text
    copied = answer.json()
    assert holders(copied) == [GU_CHANGTING.name if n == 1 else IN_TURN[n % 3].name for n in range(7)]
    assert codes(copied) == {(day(0, following), 1): ["too_little_rest"]}  # who ended the week would begin the next
    assert again.json()["code"] == "nothing_to_copy"
    assert onto_itself.json()["code"] == "published_already"


async def test_a_place_that_is_not_there_or_named_twice_is_a_wrong_form(duty: Door) -> None:
    await people(duty)
    kept = await post(duty)
    here = wish(kept["id"], day(0), LIANG_YUAN)
    odd: list[tuple[list[dict[str, Any]], str, str]] = [
        ([here | {"place": 2}], "slots.0.post_id", "not_a_choice"),
        ([here | {"on": day(7)}], "slots.0.post_id", "not_a_choice"),
        ([here | {"post_id": str(uuid4())}], "slots.0.post_id", "not_a_choice"),
        ([here, here], "slots.1.post_id", "not_a_choice"),
        ([here | {"person_id": str(uuid4())}], "slots.0.person_id", "unknown_id"),
    ]
    for slots, field, code in odd:
        assert errors_of(await fill(duty, slots)) == [(field, code, {})]
    tuesday = await duty.get("/rosters/2021-08-10", PLANNER)
    assert errors_of(tuesday) == [("monday", "not_a_monday", {})]


async def test_a_week_without_posts_is_not_published(duty: Door) -> None:
    await people(duty)

    assert (await publish(duty, 0)).json()["code"] == "no_posts"


@pytest.mark.parametrize("who", [JIANG_CAIWEI, LIANG_YUAN])
async def test_whoever_was_booked_while_the_planner_looked_is_seen_at_the_publication(duty: Door, dispatch: Door, who: Person) -> None:
    await people(duty)
    kept = await post(duty)
    await fill(duty, in_turn(kept["id"]))

    assigning = asyncio.gather(*(tries_to_assign(dispatch, who) for _ in range(3)))
    answer = await publish(duty)

    won = Counter(await assigning)["booked"]
    assert (answer.status_code, won) in ((200, 0), (409, 1))
    spans = await booked(duty, who)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


async def tries_to_assign(dispatch: Door, person: Person) -> str:
    """Somebody in dispatch wants this person in the middle of the week, whichever day their duties are."""
    begin = 24 * IN_TURN.index(person) + 6
    try:
        await assigned(dispatch, person, begin, begin + 4)
    except Refused as no:
        return no.code
    return "booked"
