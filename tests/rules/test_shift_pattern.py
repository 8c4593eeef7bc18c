"""Shifts are made by the clock on the wall, also across midnight and where the clock is changed."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.rules.patterns import LONGEST, Times, day_bounds, days_between, forbidden_span, instant, same_times, span_of, spans
from shared.rest import Limits, Span, what_forbids

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
LORD_HOWE, APIA = ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Pacific/Apia")
CHANGES = {
    BERLIN: (date(2021, 3, 28), date(2021, 10, 31)),
    LORD_HOWE: (date(2021, 4, 4), date(2021, 10, 3)),
    APIA: (date(2011, 12, 30), date(2021, 4, 4), date(2020, 9, 27)),
}
PERSON = uuid4()
moments = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@st.composite
def days(draw: st.DrawFn) -> tuple[date, ZoneInfo]:
    """A day on which a clock is changed, or near it."""
    zone = draw(st.sampled_from(list(CHANGES)))
    return draw(st.sampled_from(CHANGES[zone])) + timedelta(days=draw(st.integers(-2, 2))), zone


def at(text: str) -> Times:
    begins, ends = text.split("-")
    return Times(time.fromisoformat(begins), time.fromisoformat(ends))


def walls(on: date, text: str, zone: ZoneInfo) -> tuple[str, str]:
    found = span_of(on, at(text), zone)
    assert found
    return tuple(one.astimezone(zone).isoformat(timespec="minutes") for one in found)  # type: ignore[return-value]


def test_a_day_shift_lasts_as_the_wall_says() -> None:
    assert walls(date(2021, 8, 4), "08:00-12:40", SHANGHAI) == ("2021-08-04T08:00+08:00", "2021-08-04T12:40+08:00")


def test_a_night_shift_ends_the_next_day() -> None:
    assert walls(date(2021, 8, 31), "22:00-06:00", SHANGHAI) == ("2021-08-31T22:00+08:00", "2021-09-01T06:00+08:00")


def test_a_shift_until_midnight_ends_as_the_next_day_begins() -> None:
    assert walls(date(2021, 8, 4), "16:00-00:00", SHANGHAI) == ("2021-08-04T16:00+08:00", "2021-08-05T00:00+08:00")


@pytest.mark.parametrize(
    ("zone", "on", "hours"),
    [
        (BERLIN, date(2021, 3, 27), 7),
        (BERLIN, date(2021, 10, 30), 9),
        (LORD_HOWE, date(2021, 4, 3), 8.5),
        (LORD_HOWE, date(2021, 10, 2), 7.5),
        (SHANGHAI, date(2021, 8, 4), 8),
    ],
)
def test_a_night_on_which_the_clock_is_changed_is_shorter_or_longer(zone: ZoneInfo, on: date, hours: float) -> None:
    found = span_of(on, at("22:00-06:00"), zone)

    assert found
    assert (found[1] - found[0]) == timedelta(hours=hours)


def test_a_time_that_the_wall_never_shows_is_the_instant_of_the_jump() -> None:
    assert instant(date(2021, 3, 28), time(2, 30), BERLIN) == datetime(2021, 3, 28, 1, tzinfo=UTC)
    assert instant(date(2021, 10, 3), time(2, 15), LORD_HOWE) == datetime(2021, 10, 2, 15, 30, tzinfo=UTC)


def test_a_time_that_the_wall_shows_twice_is_the_first() -> None:
    assert instant(date(2021, 10, 31), time(2, 30), BERLIN) == datetime(2021, 10, 31, 0, 30, tzinfo=UTC)
    assert instant(date(2021, 4, 4), time(1, 45), LORD_HOWE) == datetime(2021, 4, 3, 14, 45, tzinfo=UTC)


def test_a_day_that_the_calendar_leaves_out_has_no_shifts() -> None:
    pattern = [at("08:00-12:00"), at("12:00-16:00")]
    found = list(spans(days_between(date(2011, 12, 29), date(2011, 12, 31)), pattern, APIA))

    assert {start.astimezone(APIA).date() for start, _ in found} == {date(2011, 12, 29), date(2011, 12, 31)}
    assert len(found) == 4


def test_a_shift_in_the_hour_that_the_spring_leaves_out_is_none() -> None:
    assert span_of(date(2021, 3, 28), at("02:10-02:50"), BERLIN) is None


@given(days(), moments, moments, moments)
def test_of_two_shifts_that_touch_the_second_begins_when_the_first_ends(day: tuple[date, ZoneInfo], a: time, b: time, c: time) -> None:
    on, zone = day
    first, middle, last = sorted((a, b, c))
    early, late = span_of(on, Times(first, middle), zone), span_of(on, Times(middle, last), zone)

    if first < middle < last and early and late:
        assert early[1] == late[0]
        verdict = what_forbids(booked(late), [booked(early)], Limits(rest_hours=8, most_hours_in_24=24))
        assert "overlap" not in [reason.code for reason in verdict]


def booked(span: tuple[datetime, datetime]) -> Span:
    return Span(ref=uuid4(), person_id=PERSON, starts_at=span[0], ends_at=span[1], kind="assignment")


@given(days(), moments, moments)
def test_a_later_time_is_never_an_earlier_instant(day: tuple[date, ZoneInfo], a: time, b: time) -> None:
    on, zone = day
    assert instant(on, min(a, b), zone) <= instant(on, max(a, b), zone) <= instant(on + timedelta(days=1), time(0), zone)


@given(days(), moments)
def test_a_time_that_the_wall_shows_is_shown_then(day: tuple[date, ZoneInfo], moment: time) -> None:
    on, zone = day
    found = instant(on, moment, zone)
    shown = found.astimezone(zone).replace(tzinfo=None)
    wall = datetime.combine(on, moment)
    exists = any(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall for fold in (0, 1))

    assert shown == wall if exists else shown > wall
    if not exists:
        just_before = (found - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
        assert just_before < wall, "not the instant at which the clock jumps"


@given(days(), moments, moments)
def test_a_shift_is_never_longer_than_allowed_and_never_ends_before_it_begins(day: tuple[date, ZoneInfo], a: time, b: time) -> None:
    found = span_of(day[0], Times(a, b), day[1])

    if found:
        assert forbidden_span(*found) is None


@given(days(), moments, moments, st.integers(-40, 40))
def test_a_copied_shift_stands_at_the_same_times_on_the_wall(day: tuple[date, ZoneInfo], a: time, b: time, later: int) -> None:
    on, zone = day
    plain = date(2021, 6, 10)  # no clock is changed here
    made = span_of(plain, Times(a, b), zone)
    assert made

    copied = same_times(*made, on, zone)

    assert copied == span_of(on, Times(a, b), zone)
    assert same_times(*made, plain + timedelta(days=later % 10), zone)


@given(days())
def test_a_day_ends_as_the_next_begins(day: tuple[date, ZoneInfo]) -> None:
    on, zone = day
    assert day_bounds(on, zone)[1] == day_bounds(on + timedelta(days=1), zone)[0]
    assert day_bounds(on, zone, 2)[1] == day_bounds(on + timedelta(days=1), zone)[1]


def test_a_shift_that_ends_before_it_begins_is_refused() -> None:
    noon = datetime(2021, 8, 4, 4, tzinfo=UTC)

    assert forbidden_span(noon, noon - timedelta(minutes=1)) == "ends_before_start"
    assert forbidden_span(noon, noon) == "ends_before_start"
    assert forbidden_span(noon, noon + LONGEST + timedelta(minutes=1)) == "shift_too_long"
    assert forbidden_span(noon, noon + timedelta(hours=4)) is None
