"""Nobody is in two places at once, and nobody works past the limits of rest."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from shared.rest import Limits, Span, most_hours, what_forbids

DAY = datetime(2021, 8, 5, tzinfo=UTC)
PERSON = uuid4()
LIMITS = Limits(rest_hours=8, most_hours_in_24=12)


def span(begin: float, end: float, kind: str = "assignment", *, counted: float | None = None, rest: float | None = None) -> Span:
    return Span(uuid4(), PERSON, DAY + timedelta(hours=begin), DAY + timedelta(hours=end), kind, counted, rest)


def codes(wanted: Span, *booked: Span) -> list[str]:
    return [reason.code for reason in what_forbids(wanted, booked, LIMITS)]


def test_a_shift_that_begins_the_minute_another_ends_is_no_clash() -> None:
    assert codes(span(12, 16), span(8, 12)) == []


def test_two_shifts_of_the_same_minute_are_a_clash() -> None:
    assert codes(span(11, 16), span(8, 12)) == ["overlap"]


def test_a_night_shift_that_crosses_midnight_meets_the_early_shift() -> None:
    assert codes(span(26, 32), span(22, 28)) == ["overlap"]


def test_whoever_cannot_be_had_is_refused_without_a_word_why() -> None:
    [reason] = what_forbids(span(8, 12), [span(0, 48, "unavailable")], LIMITS)
    assert (reason.code, reason.params) == ("unavailable", {})


def test_after_a_stretch_rest_must_follow() -> None:
    [reason] = what_forbids(span(18, 20), [span(8, 12)], LIMITS)
    assert reason.code == "too_little_rest"
    assert (reason.params["hours"], reason.params["least"]) == (6.0, 8.0)
    assert codes(span(20, 24), span(8, 12)) == []


def test_a_break_of_an_hour_belongs_to_the_stretch() -> None:
    assert codes(span(13, 17), span(8, 12)) == []


def test_more_than_twelve_hours_in_any_24_are_refused() -> None:
    assert codes(span(16, 21), span(8, 12), span(12, 16)) == ["too_many_hours"]
    assert codes(span(16, 20), span(8, 12), span(12, 16)) == []


def test_an_officer_of_24_hours_is_possible_when_the_post_says_how_many_count() -> None:
    assert codes(span(8, 32, "duty", counted=8, rest=24)) == []
    assert codes(span(8, 32, "duty")) == ["too_many_hours"]


def test_the_rest_that_a_post_asks_for_follows_it_even_without_a_pause() -> None:
    assert codes(span(32, 36), span(8, 32, "duty", counted=8, rest=24)) == ["too_little_rest"]
    assert codes(span(56, 60), span(8, 32, "duty", counted=8, rest=24)) == []


def test_the_rest_of_what_is_wanted_must_fit_before_what_follows() -> None:
    assert codes(span(8, 32, "duty", counted=8, rest=24), span(40, 44)) == ["too_little_rest"]


def test_a_booking_does_not_forbid_itself() -> None:
    one = span(8, 12)
    assert what_forbids(one, [one], LIMITS) == []


spans = st.builds(
    lambda begin, length: span(begin / 4, (begin + length) / 4),
    st.integers(min_value=-200, max_value=200),
    st.integers(min_value=1, max_value=96),
)


@given(spans, st.lists(spans, max_size=6))
def test_the_most_hours_are_those_of_the_fullest_24(wanted: Span, booked: list[Span]) -> None:
    quarters = [DAY + timedelta(minutes=15 * quarter) for quarter in range(-700, 700)]
    touching = [one for one in quarters if one <= wanted.ends_at and one + timedelta(hours=24) >= wanted.starts_at]

    def hours(begin: datetime) -> float:
        inside = (min(one.ends_at, begin + timedelta(hours=24)) - max(one.starts_at, begin) for one in [wanted, *booked])
        return sum(max(one.total_seconds(), 0) / 3600 for one in inside)

    assert most_hours([wanted, *booked], wanted) == max(hours(one) for one in touching)


@given(spans, spans)
def test_what_forbids_one_beside_the_other_forbids_the_other_beside_the_one(one: Span, other: Span) -> None:
    def said(wanted: Span, booked: Span) -> set[str]:
        return {reason.code for reason in what_forbids(wanted, [booked], Limits(8, 24))}

    assert said(one, other) == said(other, one)


@given(spans, st.lists(spans, max_size=6))
def test_an_overlap_is_what_brute_force_finds(wanted: Span, booked: list[Span]) -> None:
    minutes = timedelta(minutes=15)
    steps = [wanted.starts_at + minutes * step for step in range(int((wanted.ends_at - wanted.starts_at) / minutes))]
    meets = any(one.starts_at <= step < one.ends_at for one in booked for step in steps)

    assert ("overlap" in codes(wanted, *booked)) == meets


def test_the_other_booking_is_named_to_whoever_must_free_it() -> None:
    other = span(8, 12, "duty")
    [reason] = what_forbids(span(9, 10), [other], LIMITS)
    assert UUID(str(reason.params["ref"])) == other.ref
