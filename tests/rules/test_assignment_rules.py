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
