"""Which steps an assignment goes, what forbids a shift, who is asked first."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.rules.assigning import (
    STEPS,
    forbidden_arrival,
    forbidden_by_shift,
    forbidden_step,
    is_late,
    unfit_reason,
    worked_hours,
)
from services.dispatch.rules.ranking import Need, Standing, fill, order
from shared.rest import Limits, Span, most_hours, what_forbids

EIGHT = datetime(2021, 8, 5, 0, tzinfo=UTC)
NOON = EIGHT + timedelta(hours=4)
LIMITS = Limits(8, 12)
FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))


def test_nothing_follows_on_declined_released_or_checked_out() -> None:
    assert {state for state, after in STEPS.items() if not after} == {"declined", "released", "checked_out"}


@pytest.mark.parametrize(
    ("state", "to", "code"),
    [
        ("proposed", "confirmed", None),
        ("confirmed", "confirmed", "confirmed_already"),
        ("declined", "confirmed", "off_already"),
        ("checked_in", "checked_in", "checked_in_already"),
        ("confirmed", "checked_out", "not_checked_in"),
        ("checked_out", "checked_out", "checked_out_already"),
        ("no_show", "checked_in", None),
        ("no_show", "no_show", "no_show_already"),
        ("checked_in", "no_show", "checked_in_already"),
    ],
)
def test_a_step_that_cannot_be_gone_says_why(state: str, to: str, code: str | None) -> None:
    assert forbidden_step(state, to) == code


def forbidden(at: datetime, state: str = "open", *, signup: bool | None = None, running: bool = False) -> str | None:
    return forbidden_by_shift(state, EIGHT, NOON, at, signup=signup, running=running)


def test_a_shift_that_has_begun_takes_only_who_stands_in_or_is_there() -> None:
    before = EIGHT - timedelta(seconds=1)
    assert (forbidden(before), forbidden(EIGHT), forbidden(EIGHT, running=True)) == (None, "has_begun", None)
    assert forbidden(NOON, running=True) == "over_already"
    assert forbidden(before, "cancelled") == "cancelled_already"


def test_one_signs_up_only_where_it_is_open_and_allowed() -> None:
    before = EIGHT - timedelta(hours=1)
    assert forbidden(before, signup=True) is None
    assert forbidden(before, signup=False) == "no_signup"
    assert forbidden(before, "planned", signup=True) == "not_open"
    assert forbidden(before, "planned") is None  # a coordinator prepares


def test_fit_means_over_all_of_the_shift_and_says_no_more_than_the_rule_and_until_when() -> None:
    eleven = NOON - timedelta(hours=1)
    assert unfit_reason(None, None, None, EIGHT, NOON) == []
    assert unfit_reason("testing_point", EIGHT, NOON, EIGHT, NOON) == []
    assert unfit_reason("testing_point", EIGHT, None, EIGHT, NOON) == []
    [reason] = unfit_reason("testing_point", EIGHT, eleven, EIGHT, NOON)
    assert (reason.code, reason.params) == ("not_fit", {"rule": "testing_point", "until": eleven.isoformat()})
    for fit_from, fit_until in ((None, None), (eleven, None), (EIGHT - timedelta(days=9), EIGHT - timedelta(days=1))):
        [reason] = unfit_reason("testing_point", fit_from, fit_until, EIGHT, NOON)
        assert reason.params == {"rule": "testing_point"}


def test_one_may_come_an_hour_before_and_until_the_end() -> None:
    assert forbidden_arrival(EIGHT, NOON, EIGHT - timedelta(minutes=61)) == "too_early"
    assert forbidden_arrival(EIGHT, NOON, EIGHT - timedelta(minutes=60)) is None
    assert forbidden_arrival(EIGHT, NOON, NOON - timedelta(seconds=1)) is None
    assert forbidden_arrival(EIGHT, NOON, NOON) == "over_already"


def test_who_comes_in_the_minute_of_the_beginning_is_on_time() -> None:
    assert not is_late(EIGHT, EIGHT + timedelta(seconds=59))
    assert is_late(EIGHT, EIGHT + timedelta(seconds=60))


def test_hours_are_those_that_one_was_there() -> None:
    assert worked_hours(EIGHT, EIGHT + timedelta(minutes=90)) == 1.5
    assert worked_hours(EIGHT, None) == worked_hours(None, None) == 0


def test_fewest_hours_first_then_longest_rested_then_the_same_team() -> None:
    tired = Standing(uuid4(), 4, EIGHT)
    rested = Standing(uuid4(), 4, EIGHT - timedelta(days=3))
    mate = Standing(uuid4(), 4, EIGHT - timedelta(days=3), same_team=True)
    fresh, busy = Standing(uuid4(), 0, None), Standing(uuid4(), 12, None, same_team=True)

    assert sorted([busy, tired, rested, mate, fresh], key=order) == [fresh, mate, rested, tired, busy]


def test_whoever_was_picked_ranks_behind_for_the_next_place() -> None:
    people = [Standing(FIRST, 0, None), Standing(SECOND, 0, None)]
    morning, afternoon = Need(uuid4(), "a", 1, EIGHT, NOON), Need(uuid4(), "a", 1, NOON, NOON + timedelta(hours=4))

    plan = fill([morning, afternoon], people, {}, lambda *_: [], LIMITS)

    assert [person_id for _, person_id in plan.picked] == [FIRST, SECOND]
    assert (plan.missing, plan.against) == ({}, {})


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12), st.integers(0, 3)), min_size=1, max_size=8),
    st.lists(st.tuples(st.sampled_from([FIRST, SECOND, THIRD]), st.integers(-20, 60), st.integers(1, 10)), max_size=6),
)
def test_a_plan_puts_nobody_in_two_places_nor_past_the_limits(needs: list[tuple[int, int, int]], busy: list[tuple[UUID, int, int]]) -> None:
    booked: dict[UUID, list[Span]] = {}
    for person_id, begin, hours in busy:
        span = Span(uuid4(), person_id, EIGHT + timedelta(hours=begin), EIGHT + timedelta(hours=begin + hours), "duty")
        if not what_forbids(span, booked.get(person_id, []), LIMITS):
            booked.setdefault(person_id, []).append(span)
    wanted = [
        Need(uuid4(), "a", count, EIGHT + timedelta(hours=begin), EIGHT + timedelta(hours=begin + hours)) for begin, hours, count in needs
    ]

    plan = fill(wanted, [Standing(one, 0, None) for one in (FIRST, SECOND, THIRD)], booked, lambda *_: [], LIMITS)

    for spans in booked.values():
        spans.sort(key=lambda one: one.starts_at)
        assert all(one.ends_at <= other.starts_at for one, other in pairwise(spans))
        assert all(most_hours(spans, within=one) <= LIMITS.most_hours_in_24 + 1e-6 for one in spans)
    picked = {need.shift_id: sum(1 for it, _ in plan.picked if it is need) for need in wanted}
    assert all(picked[need.shift_id] + plan.missing.get((need.shift_id, "a"), 0) == need.count for need in wanted)


def places_of(sites: list[list[tuple[int, int]]], starts_at: datetime = EIGHT) -> list[Need]:
    """Shifts at the same time, each with its roles: how many places are open beside how many that somebody holds."""
    ends_at = starts_at + timedelta(hours=4)
    return [
        Need(UUID(int=100 + site), f"分工{role}", count, starts_at, ends_at, taken)
        for site, roles in enumerate(sites)
        for role, (count, taken) in enumerate(roles)
    ]


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=3), min_size=1, max_size=6), st.integers(0, 30)
)
def test_too_few_people_are_spread_and_no_second_place_is_filled_before_a_first(sites: list[list[tuple[int, int]]], size: int) -> None:
    needs = places_of(sites)
    team = [Standing(UUID(int=number + 1), 0, None) for number in range(size)]

    plan = fill(needs, team, {}, lambda *_: [], LIMITS)

    held = {(one.shift_id, one.role): one.taken for one in needs}
    for need, _ in plan.picked:
        held[need.shift_id, need.role] += 1
    filled = {(one.shift_id, one.role): held[one.shift_id, one.role] - one.taken for one in needs}
    assert sum(filled.values()) == min(size, sum(one.count for one in needs))
    for one in needs:
        if filled[one.shift_id, one.role] == one.count:
            continue
        for other in needs:
            if filled[other.shift_id, other.role]:
                assert held[other.shift_id, other.role] <= held[one.shift_id, one.role] + 1
    assert plan.missing == {key: count for one in needs if (count := one.count - filled[key := (one.shift_id, one.role)])}


def test_of_each_site_the_first_role_comes_first() -> None:
    plan = fill(
        places_of([[(2, 0), (1, 0)], [(2, 0), (1, 0)], [(2, 1), (1, 0)]]),
        [Standing(UUID(int=number), 0, None) for number in range(1, 5)],
        {},
        lambda *_: [],
        LIMITS,
    )

    assert [(need.shift_id.int - 100, need.role) for need, _ in plan.picked] == [(0, "分工0"), (1, "分工0"), (0, "分工1"), (1, "分工1")]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8), st.integers(1, 3)), min_size=1, max_size=8),
    st.lists(st.tuples(st.sampled_from([FIRST, SECOND, THIRD]), st.integers(-12, 30), st.integers(1, 10)), max_size=4),
)
def test_no_place_stays_empty_for_which_one_of_the_team_is_free_and_rested(
    shifts: list[tuple[int, int, int]], busy: list[tuple[UUID, int, int]]
) -> None:
    needs = [
        Need(UUID(int=100 + number), "登记", count, EIGHT + timedelta(hours=start), EIGHT + timedelta(hours=start + hours))
        for number, (start, hours, count) in enumerate(sorted(shifts))
    ]
    booked: dict[UUID, list[Span]] = {}
    for person_id, start, hours in busy:
        starts_at = EIGHT + timedelta(hours=start)
        booked.setdefault(person_id, []).append(Span(uuid4(), person_id, starts_at, starts_at + timedelta(hours=hours), "duty"))

    plan = fill(needs, [Standing(one, 0, None) for one in (FIRST, SECOND, THIRD)], booked, lambda *_: [], LIMITS)

    for need in needs:
        if plan.missing.get((need.shift_id, need.role)):
            for person_id in (FIRST, SECOND, THIRD):
                span = Span(uuid4(), person_id, need.starts_at, need.ends_at, "assignment")
                assert what_forbids(span, booked.get(person_id, []), LIMITS)
