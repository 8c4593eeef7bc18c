"""Candidates: who could stand on a shift, ranked, with what forbids the others; what one is fit and free for oneself."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.dispatch.ranking import Vacancy, ranked_for, spans_of
from services.dispatch.rules.ranking import order
from services.dispatch.tables import KnownPerson, Team, TeamMember
from shared.bookings import Span, block, book, booking, hold_time_of, limits
from shared.clock import now
from shared.rest import what_forbids
from tests.doors import Door
from tests.people import (
    COORDINATOR,
    GU_CHANGTING,
    JIANG_CAIWEI,
    LIANG_YUAN,
    NOW,
    PAN_XIANGYE,
    STAFF,
    TANG_YINAN,
    TEACHING,
    Person,
    id_of,
)
from tests.services.deployment import is_fit, is_on, knows_everybody, planned, shifts_of
from tests.services.test_assignments import deployed


async def on_duty(duty: Door, person: Person, begin: Any, hours: float) -> None:
    async with duty.rows() as tx:
        await hold_time_of(tx, person.id)
        await book(tx, Span(uuid4(), person.id, begin, begin + timedelta(hours=hours), "duty"))


async def team(dispatch: Door, *people: Person) -> str:
    row = Team(id=uuid4(), name=f"志愿服务队{uuid4().hex[:4]}", version=1)
    async with dispatch.rows() as tx:
        tx.add(row)
        await tx.flush()
        tx.add_all(TeamMember(team_id=row.id, person_id=one.id) for one in people)
    return str(row.id)


async def candidates(dispatch: Door, shift: Any, query: str = "") -> list[dict[str, Any]]:
    answer = await dispatch.get(f"/shifts/{shift.id}/candidates{query}", COORDINATOR)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_the_fit_and_free_come_first_with_the_fewest_hours_and_the_others_say_why_not(
    dispatch: Door, duty: Door, personnel: Door
) -> None:
    shifts = await deployed(dispatch, requirement="testing_point")
    tomorrow = shifts[2]
    people = (LIANG_YUAN, GU_CHANGTING, PAN_XIANGYE, JIANG_CAIWEI, TANG_YINAN)
    await team(dispatch, *people)
    for person in people[:4]:
        await is_fit(dispatch, person)
    await on_duty(duty, LIANG_YUAN, NOW - timedelta(days=9), 4)
    await on_duty(duty, GU_CHANGTING, tomorrow.starts_at, 2)
    async with personnel.rows() as tx:
        await block(tx, Span(uuid4(), JIANG_CAIWEI.id, NOW, NOW + timedelta(days=9), "unavailable"))

    found = await candidates(dispatch, tomorrow)

    assert [(one["person"]["name"], one["fit"], one["hours_28_days"]) for one in found][:2] == [("潘向野", True, 0), ("梁予安", True, 4)]
    why = {one["person"]["name"]: [(it["code"], set(it["params"])) for it in one["reasons"]] for one in found[2:]}
    assert why["唐以南"] == [("not_fit", {"rule"})]
    assert [code for code, _ in why["顾长亭"]] == ["on_duty"]
    assert why["江采薇"] == [("unavailable", set())]
    assert [one["rank"] for one in found] == [1, 2, 3, 4, 5]


async def test_of_whoever_is_elsewhere_at_that_time_rest_and_hours_say_no_more(dispatch: Door, duty: Door) -> None:
    *_, tomorrow = (await deployed(dispatch))[:3]
    await team(dispatch, LIANG_YUAN, GU_CHANGTING)
    await on_duty(duty, LIANG_YUAN, tomorrow.starts_at - timedelta(hours=8), 12)
    await on_duty(duty, GU_CHANGTING, tomorrow.ends_at, 12)

    why = {one["person"]["name"]: [it["code"] for it in one["reasons"]] for one in await candidates(dispatch, tomorrow)}

    assert why["梁予安"] == ["on_duty"]
    assert why["顾长亭"] == ["too_many_hours"]


async def test_without_teams_everybody_is_a_candidate_and_a_search_finds_anybody(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch)
    everybody = await candidates(dispatch, first)
    await team(dispatch, GU_CHANGTING)

    of_team, searched = await candidates(dispatch, first), await candidates(dispatch, first, "?q=梁予")

    assert len(everybody) == 11
    assert [one["person"]["name"] for one in of_team] == ["顾长亭"]
    assert [one["person"]["name"] for one in searched] == ["梁予安"]


async def test_who_is_in_a_team_with_those_there_ranks_before_others_as_rested(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch)
    await team(dispatch, GU_CHANGTING, LIANG_YUAN)
    await team(dispatch, PAN_XIANGYE, JIANG_CAIWEI)
    before = [one["person"]["name"] for one in await candidates(dispatch, first)]
    await is_on(dispatch, first, LIANG_YUAN)

    after = await candidates(dispatch, first)

    assert before != [one["person"]["name"] for one in after]
    assert (after[0]["person"]["name"], after[0]["same_team"]) == ("顾长亭", True)
    assert "梁予安" not in [one["person"]["name"] for one in after]


async def test_of_a_full_role_everybody_is_told_so(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch)
    for person in (LIANG_YUAN, GU_CHANGTING):
        await is_on(dispatch, first, person)

    full, other = await candidates(dispatch, first, "?role=登记"), await candidates(dispatch, first, "?role=秩序")
    unknown = await dispatch.get(f"/shifts/{first.id}/candidates?role=没有", COORDINATOR)

    assert {it["code"] for one in full for it in one["reasons"]} == {"full"}
    assert all(one["fit"] for one in other)
    assert unknown.status_code == 422


HOURS = st.integers(-40, 40)
BUSY = st.lists(st.tuples(st.integers(0, 5), HOURS, st.integers(1, 12), st.sampled_from([None, 0.0, 12.0, 24.0])), max_size=14)


@pytest.mark.timeout(300)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(busy=BUSY)
async def test_the_database_says_of_a_persons_time_what_the_rules_say(
    dispatch: Door, duty: Door, busy: list[tuple[int, int, int, float | None]]
) -> None:
    people = [id_of(f"busy-{number}") for number in range(6)]
    starts_at, ends_at = NOW + timedelta(days=2), NOW + timedelta(days=2, hours=5)
    async with dispatch.rows() as tx:
        for number, one in enumerate(people):
            if await tx.get(KnownPerson, one) is None:
                told = {"number": f"V{number}", "name": f"志愿者{number}", "sort_key": f"v{number}", "employment": "volunteer"}
                tx.add(KnownPerson(id=one, department_id=TEACHING.id, version=1, heard_at=now(), **told))
    async with duty.rows() as tx:
        await tx.execute(booking.delete())
        kept: dict[Any, list[Span]] = {}
        for number, begin, hours, rest in busy:
            span = Span(
                uuid4(),
                people[number],
                starts_at + timedelta(hours=begin),
                starts_at + timedelta(hours=begin + hours),
                "duty",
                rest_hours=rest,
            )
            if all(span.starts_at >= one.ends_at or one.starts_at >= span.ends_at for one in kept.get(span.person_id, [])):
                kept.setdefault(span.person_id, []).append(span)
        codes = ("too_little_rest", "too_many_hours")
        await book(tx, *(span for spans in kept.values() for span in spans), despite=codes)

    place = Vacancy(uuid4(), uuid4(), None, starts_at, ends_at)
    async with dispatch.rows() as tx:
        ranked, total = await ranked_for(tx, place, limit=6)
        booked = await spans_of(tx, people, starts_at, ends_at)

    assert (len(ranked), total) == (6, 6)
    spans = [Span(uuid4(), one.person_id, starts_at, ends_at, "assignment") for one in ranked]
    forbidden = [bool(what_forbids(span, booked.get(span.person_id, ()), limits())) for span in spans]
    assert forbidden == sorted(forbidden), "the free come before those who are not"
    free = [one for one, no in zip(ranked, forbidden, strict=True) if not no]
    assert free == sorted(free, key=order)
    for it in ranked:
        before = [span.ends_at for span in booked.get(it.person_id, ()) if span.ends_at <= starts_at]
        assert it.last_end == max(before, default=None)


async def test_what_one_is_fit_and_free_for_comes_soonest_first(dispatch: Door, duty: Door) -> None:
    pattern = {"times": [["08:00", "12:00"], ["12:00", "16:00"]], "roles": [{"name": "登记", "head_count": 1}], "signup": True}
    await knows_everybody(dispatch)
    days: dict[str, Any] = {"from_on": "2021-08-05", "until_on": "2021-08-06", "sites": [{"name": "东门"}], "bring": "身份证"}
    shifts = await shifts_of(dispatch, await planned(dispatch, pattern=pattern, requirement="testing_point", **days))
    await planned(dispatch, name="不能自己报名", **days)
    await planned(dispatch, name="还没有开放", pattern=pattern, opened=False, **days)
    nothing = (await dispatch.get("/shifts/open/mine", STAFF)).json()
    await is_fit(dispatch, LIANG_YUAN, until=shifts[3].ends_at - timedelta(hours=1))  # not fit for the last one
    await is_on(dispatch, shifts[1], GU_CHANGTING)  # full
    await on_duty(duty, LIANG_YUAN, NOW + timedelta(hours=1), 2)

    found = (await dispatch.get("/shifts/open/mine", STAFF)).json()
    signed = await dispatch.post(f"/shifts/{shifts[2].id}/signup", {"role": "登记"}, STAFF)
    left = (await dispatch.get("/shifts/open/mine", STAFF)).json()

    assert nothing["items"] == []
    assert [one["id"] for one in found["items"]] == [str(shifts[0].id), str(shifts[2].id)]
    assert found["items"][0]["roles"] == [{"name": "登记", "free_count": 1}]
    assert (found["items"][0]["bring"], found["items"][0]["site"]["name"]) == (["身份证"], "东门")
    assert signed.status_code == 201
    assert [one["id"] for one in left["items"]] == [str(shifts[0].id)]


async def test_the_statements_do_not_grow_with_the_people_or_the_shifts(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    pattern = {"times": [["08:00", "12:00"]], "roles": [{"name": "登记", "head_count": 3}], "signup": True}
    counts = []
    for size in (1, 12):
        sites = [{"name": f"{size}-{number}"} for number in range(size)]
        operation = await planned(dispatch, name=f"{size}", pattern=pattern, sites=sites, from_on="2021-08-05")
        shift, *_ = await shifts_of(dispatch, operation)
        await candidates(dispatch, shift)
        counts.append(len(dispatch.statements))
        await dispatch.get("/shifts/open/mine", STAFF)
        counts.append(len(dispatch.statements))

    assert counts[:2] == counts[2:]
    assert max(counts) <= 10


async def test_who_declined_this_shift_comes_last_of_the_free_and_it_is_said(dispatch: Door, duty: Door) -> None:
    first, second, *_ = await deployed(dispatch)
    await team(dispatch, GU_CHANGTING, LIANG_YUAN, PAN_XIANGYE)
    await on_duty(duty, LIANG_YUAN, NOW - timedelta(days=9), 4)
    await on_duty(duty, PAN_XIANGYE, first.starts_at, 2)
    await is_on(dispatch, first, GU_CHANGTING, "declined")

    here, elsewhere = await candidates(dispatch, first), await candidates(dispatch, second)

    assert [(one["person"]["name"], one["fit"], one["declined"]) for one in here] == [
        ("梁予安", True, False),
        ("顾长亭", True, True),
        ("潘向野", False, False),
    ]
    assert (elsewhere[0]["person"]["name"], elsewhere[0]["declined"]) == ("顾长亭", False)


async def test_whoever_declined_a_shift_stands_in_for_nobody_there(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch)
    await team(dispatch, GU_CHANGTING, LIANG_YUAN, PAN_XIANGYE)
    await is_on(dispatch, first, GU_CHANGTING, "declined")
    mine = await is_on(dispatch, first, LIANG_YUAN)

    said = await dispatch.post(f"/assignments/{mine}/answer", {"answer": "decline", "reason": "家中有事"}, STAFF)
    [place] = (await dispatch.get("/alerts", COORDINATOR)).json()["items"]

    assert said.status_code == 200, said.text
    assert [one["person"]["name"] for one in place["candidates"]] == ["潘向野"]
