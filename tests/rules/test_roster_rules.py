"""Slots on the institution's clock, also where it leaps; what is counted; and who is asked first to stand in."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.duty.rules import (
    Candidate,
    counted,
    gaps,
    in_pool,
    instant,
    rank,
    share,
    slots_of,
    slots_of_week,
    time_of,
)
from shared.rest import Limits, Span

SHANGHAI, BERLIN, LORD_HOWE, APIA = (ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"))
POST_ID = UUID(int=1)
LIMITS = Limits(rest_hours=8, most_hours_in_24=12)
SATURDAY = datetime(2021, 8, 14, 0, tzinfo=UTC)  # 08:00 in Shanghai


@dataclass(frozen=True)
class APost:
    """A post of the tests."""

    starts_at_time: str = "08:00"
    hours: float = 24
    head_count: int = 1
    counted_hours: float | None = 12
    rest_hours: float | None = 24
    pool_departments: list[UUID] = field(default_factory=list)
    pool_people: list[UUID] = field(default_factory=list)
    id: UUID = POST_ID


days = st.dates(date(2000, 1, 1), date(2037, 12, 24))
leaps = st.sampled_from(
    [date(2011, 12, 29), date(2021, 3, 28), date(2021, 10, 31), date(2021, 10, 3), date(2021, 4, 4), date(2021, 9, 26), date(2010, 9, 26)]
)
times = st.times().map(lambda at: f"{at.hour:02}:{at.minute:02}")
lengths = st.integers(1, 96).map(lambda quarters: quarters / 4)
zones = st.sampled_from([BERLIN, LORD_HOWE, APIA])


@given(days | leaps, times, lengths, st.integers(1, 3), zones)
def test_no_slot_ends_before_it_begins(on: date, at: str, hours: float, head_count: int, zone: ZoneInfo) -> None:
    for slot in slots_of_week(on, [APost(at, hours, head_count)], zone):
        assert slot.starts_at < slot.ends_at
        assert slot.ends_at - slot.starts_at <= timedelta(hours=hours + 1)


@given(days | leaps, times, zones)
def test_posts_of_24_hours_leave_no_gap_and_no_overlap(on: date, at: str, zone: ZoneInfo) -> None:
    slots = slots_of_week(on, [APost(at)], zone)

    assert all(one.ends_at == other.starts_at for one, other in pairwise(slots))
    begins_at, ends_at = instant(on, time.fromisoformat(at), zone), instant(on + timedelta(7), time.fromisoformat(at), zone)
    assert (slots[0].starts_at, slots[-1].ends_at) == (begins_at, ends_at)


@given(days | leaps, times, st.sampled_from([1, 2, 3, 4, 6, 8, 12]), zones)
def test_shifts_of_a_day_that_follow_each_other_do_not_overlap_either(on: date, at: str, hours: int, zone: ZoneInfo) -> None:
    begin = datetime.combine(on, time.fromisoformat(at))
    walls = [begin + timedelta(hours=hours * number) for number in range(24 // hours)]
    slots = [one for wall in walls for one in slots_of(APost(wall.strftime("%H:%M"), hours), wall.date(), zone)]

    assert all(one.ends_at == other.starts_at for one, other in pairwise(slots))


@given(days | leaps, st.times(), st.times(), zones)
def test_later_on_the_wall_is_never_an_earlier_moment(on: date, one: time, other: time, zone: ZoneInfo) -> None:
    first, second = sorted((one, other))

    assert instant(on, first, zone) <= instant(on, second, zone)


@pytest.mark.parametrize(
    ("zone", "on", "at", "hours", "lasts"),
    [
        (SHANGHAI, date(2021, 8, 9), "08:00", 24, 24),
        (BERLIN, date(2021, 3, 27), "08:00", 24, 23),  # the clock leaps an hour
        (BERLIN, date(2021, 10, 30), "08:00", 24, 25),  # an hour comes twice
        (BERLIN, date(2021, 3, 28), "02:00", 2, 1),
        (LORD_HOWE, date(2021, 10, 2), "08:00", 24, 23.5),  # half an hour
        (LORD_HOWE, date(2021, 4, 3), "08:00", 24, 24.5),
        (APIA, date(2011, 12, 29), "08:00", 24, 16),  # the day after was left out
        (APIA, date(2011, 12, 30), "08:00", 24, 8),
        (SHANGHAI, date(2021, 8, 9), "22:00", 8, 8),
    ],
)
def test_a_duty_lasts_as_long_as_the_clock_on_the_wall_says(zone: ZoneInfo, on: date, at: str, hours: float, lasts: float) -> None:
    [slot] = slots_of(APost(at, hours), on, zone)

    assert slot.ends_at - slot.starts_at == timedelta(hours=lasts)


def test_hours_that_the_clock_leaps_over_have_no_slot() -> None:
    assert slots_of(APost("02:15", 0.5), date(2021, 3, 28), BERLIN) == []
    assert slots_of(APost("00:00", 24), date(2011, 12, 30), APIA) == []


def test_a_place_nobody_holds_is_a_gap() -> None:
    slots = slots_of(APost(head_count=3), date(2021, 8, 9), SHANGHAI)

    assert [slot.place for slot in gaps(slots, {slots[1].key: uuid4()})] == [1, 3]


def test_who_takes_over_later_is_booked_from_then_on_with_their_share_of_the_hours() -> None:
    post = APost()
    [slot] = slots_of(post, date(2021, 8, 9), SHANGHAI)
    late = time_of(slot, post, uuid4(), uuid4(), slot.starts_at + timedelta(hours=18))

    assert (late.starts_at, late.ends_at, late.counted_hours) == (slot.starts_at + timedelta(hours=18), slot.ends_at, 3)
    assert share(APost(counted_hours=None), slot, timedelta(hours=1)) is None


def test_both_pools_empty_means_everyone() -> None:
    department, person, stranger = uuid4(), uuid4(), uuid4()

    assert in_pool(APost(), stranger, uuid4(), ())
    assert in_pool(APost(pool_people=[person]), person, uuid4(), ())
    assert not in_pool(APost(pool_people=[person]), stranger, department, ())
    assert in_pool(APost(pool_departments=[uuid4()]), stranger, department, {department})
    assert not in_pool(APost(pool_departments=[uuid4()]), stranger, uuid4(), {department})


def worked(person: UUID, days_before: float, hours: float, kind: str = "duty", until: datetime = SATURDAY) -> Span:
    begins_at = until - timedelta(days=days_before)
    return Span(uuid4(), person, begins_at, begins_at + timedelta(hours=hours), kind)


def wanted(at: datetime = SATURDAY, hours: float = 8) -> Span:
    return Span(uuid4(), uuid4(), at, at + timedelta(hours=hours), "duty")


def test_hours_of_28_days_are_counted_and_those_of_weekends_apart() -> None:
    person = uuid4()
    spans = [
        worked(person, 7, 8),  # a Saturday
        worked(person, 3, 4),  # a Wednesday
        worked(person, 28.25, 12),  # a Saturday too; half of it is too long ago
        worked(person, 5, 10, "unavailable"),
    ]

    assert counted(spans, SATURDAY, SHANGHAI) == (18.0, 14.0)


def test_whoever_is_free_and_rested_is_asked_first_and_then_who_had_the_fewest_hours() -> None:
    busy, tired, much, little, nothing = (uuid4() for _ in range(5))
    monday = SATURDAY + timedelta(days=2)
    candidates = [
        Candidate(busy, "a", [worked(busy, -0.1, 4, until=monday)]),
        Candidate(tired, "b", [worked(tired, 0.25, 4, until=monday)]),
        Candidate(much, "c", [worked(much, 4, 8, until=monday), worked(much, 6, 8, until=monday)]),
        Candidate(little, "d", [worked(little, 9, 8, until=monday)]),
        Candidate(nothing, "e"),
    ]

    ranked = rank(wanted(monday), candidates, LIMITS, SHANGHAI)

    assert [one.person_id for one in ranked] == [nothing, little, much, busy, tired]
    assert [[reason.code for reason in one.reasons] for one in ranked[3:]] == [["overlap"], ["too_little_rest"]]


def test_on_a_weekend_those_are_asked_first_who_had_fewer_weekends() -> None:
    weekends, weekdays = uuid4(), uuid4()
    candidates = [
        Candidate(weekends, "a", [worked(weekends, 7, 8)]),
        Candidate(weekdays, "b", [worked(weekdays, 4, 8), worked(weekdays, 10, 8)]),
    ]

    on_saturday = rank(wanted(), candidates, LIMITS, SHANGHAI)
    on_monday = rank(wanted(SATURDAY + timedelta(days=2)), candidates, LIMITS, SHANGHAI)

    assert [one.person_id for one in on_saturday] == [weekdays, weekends]
    assert [one.person_id for one in on_monday] == [weekends, weekdays]
