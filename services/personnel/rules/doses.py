"""What each dose of a person is worth: *given* and *valid* are two facts, and one that does not count says why."""

from collections.abc import Hashable, Sequence
from datetime import date
from typing import NamedTuple

from services.personnel.rules.programmes import Programme, Series

# why a dose that was given does not count
REASONS = ("unknown_product", "before_programme", "duplicate", "too_early", "other_platform", "beyond_series")


class Given(NamedTuple):
    """A dose as it was given: not withdrawn, not superseded. `product` is a product's code."""

    id: Hashable
    product: str
    on: date


class Judged(NamedTuple):
    """A dose and what it is worth: its number in the series, or why it does not count."""

    id: Hashable
    number: int | None
    valid: bool
    reason: str | None


class Course:
    """The doses of one platform, taken in order of date. The series never starts anew; what came too early is made up."""

    __slots__ = ("completed_on", "first_on", "last_on", "make_up", "place", "series", "valid_count")

    def __init__(self, series: Series, place: int, on: date) -> None:
        self.series, self.place, self.first_on = series, place, on
        self.last_on = on
        self.valid_count = 0
        self.completed_on: date | None = None
        self.make_up = False

    def take(self, on: date) -> str | None:
        """Take the next dose; answer why it does not count, if it does not."""
        if self.valid_count and on == self.last_on:
            return "duplicate"
        if self.completed_on:
            if self.series.lasts_years is None:
                return "beyond_series"
            self.completed_on = self.last_on = on
            return None
        if self.valid_count:
            days = (on - self.last_on).days
            self.last_on = on
            # A make-up dose has no grace: the guideline lets 14 to 21 days pass between two doses only.
            if days < (self.series.least_days if self.make_up else self.series.counts_from_days):
                self.make_up = True
                return "too_early"
        self.valid_count += 1
        self.make_up = False
        if self.valid_count == self.series.dose_count:
            self.completed_on = on
        return None


def leading(courses: Sequence[Course]) -> Course:
    """The course the person is on: the one completed first; else the one with the fewest doses to go; else the one begun first."""
    if len(courses) == 1:
        return courses[0]
    return min(courses, key=lambda c: (c.completed_on or date.max, c.series.dose_count - c.valid_count, c.first_on, c.place))


def in_order(programme: Programme, given: Sequence[Given]) -> Sequence[Given]:
    """By date. Of two on one day the more exact one comes first; product and id are there to make the order certain."""
    if len(given) < 2:
        return given
    exactness = programme.exactness
    return sorted(given, key=lambda dose: (dose.on, -exactness.get(dose.product, 0), dose.product, str(dose.id)))


def take(programme: Programme, courses: list[Course], dose: Given) -> tuple[Course | None, str | None]:
    """Put a dose into the course of its platform; answer that course, and the reason when the dose does not count in it."""
    series = programme.series_by_product.get(dose.product)
    if series is None:
        return None, "unknown_product"
    if dose.on < programme.begins_on:
        return None, "before_programme"
    for course in courses:
        if course.series is series:
            break
    else:
        course = Course(series, programme.series.index(series), dose.on)
        courses.append(course)
    return course, course.take(dose.on)


def judge(programme: Programme, given: Sequence[Given], born_on: date | None) -> list[Judged]:
    """What each dose is worth, in order of date, whatever order they come in. Reasons: see REASONS.

    Doses of another platform than the one that leads do not count: platforms do not add up. A dose is judged with all those handed in; to
    see it as of a date, hand in the doses up to that date. The age does not decide (`born_on` may be missing): `timeline` notes it.
    """
    courses: list[Course] = []
    taken: list[tuple[Given, Course | None, int | None, str | None]] = []
    for dose in in_order(programme, given):
        course, reason = take(programme, courses, dose)
        taken.append((dose, course, course.valid_count if course and reason is None else None, reason))
    lead = leading(courses) if courses else None
    judged = []
    for dose, course, number, reason in taken:
        if course is not lead and reason is None:
            number, reason = None, "other_platform"
        judged.append(Judged(dose.id, number, reason is None, reason))
    return judged
