"""How a person stands in a programme on any date.

`timeline` answers with spans that cover the whole calendar, so that what is stored for a person stays right while the days pass. Dates are
local dates. Why each case is decided as it is: docs/decisions/vaccination-programme.md.
"""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Literal, NamedTuple

from services.personnel.rules.doses import REASONS, Course, Given, Judged, in_order, judge, leading, take
from services.personnel.rules.programmes import Programme

__all__ = [
    "CODES",
    "NOTES",
    "REASONS",
    "Code",
    "Exempt",
    "Given",
    "Judged",
    "Span",
    "Standing",
    "Statement",
    "judge",
    "same_birthday",
    "span_on",
    "standing_on",
    "timeline",
]

Code = Literal["complete", "due", "overdue", "in_progress", "not_started", "exempt", "declined", "unknown"]
CODES: tuple[Code, ...] = ("complete", "due", "overdue", "in_progress", "not_started", "exempt", "declined", "unknown")
NOTES = ("birth_date_missing", "under_age", "doses_not_counted", "make_up_dose", "mixed_platforms", "said_elsewhere")


class Exempt(NamedTuple):
    """An approved exemption, `temporary` or `permanent`. `until_on` is its last day; none, or permanent: no end."""

    kind: str
    from_on: date
    until_on: date | None = None


class Statement(NamedTuple):
    """What the person said on that day: `declined`, `not_started` or `elsewhere`. A later statement or a later dose takes its place."""

    kind: str
    on: date


class Standing(NamedTuple):
    """How a person stands. `next_from_on` is the first day the next dose may be taken, `next_until_on` the last day it is in time,
    `exempt_until_on` the last day of an exemption; all three are days that still belong to it."""

    code: Code
    valid_count: int
    needed_count: int
    next_from_on: date | None = None
    next_until_on: date | None = None
    exempt_until_on: date | None = None
    notes: tuple[str, ...] = ()
    platform: str | None = None


class Span(NamedTuple):
    """From `from_on` until the day before `until_on`; none: since ever, for ever."""

    from_on: date | None
    until_on: date | None
    standing: Standing


def _days_after(on: date, days: int) -> date:
    try:
        return on + timedelta(days)
    except OverflowError:
        return date.max


def _months_after(on: date, months: int) -> date:
    """The same day of a later month, or its last day when it is shorter."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))


def _adult_on(programme: Programme, born_on: date) -> date | None:
    """The day the person reaches the least age (born on 29 February: on 1 March); none for those who were old enough from the start."""
    year = born_on.year + programme.least_age
    if not programme.least_age or year < programme.begins_on.year:
        return None
    try:
        on = born_on.replace(year=year)
    except ValueError:
        on = date(year, 3, 1) if year <= date.max.year else date.max
    return on if on > programme.begins_on else None


def same_birthday(programme: Programme, born_on: date | None) -> date | None:
    """The birthday as far as the rule asks for it: all who were old enough from the start are alike, so that what was computed for one
    need not be computed again for another."""
    return born_on if born_on is None or _adult_on(programme, born_on) else date.min


class _Phase:
    """A standing from a day on (none: since ever), until the next phase begins."""

    __slots__ = ("from_on", "standing")

    def __init__(self, from_on: date | None, standing: Standing) -> None:
        self.from_on, self.standing = from_on, standing


def _after_dose(phases: list[_Phase], on: date, lead: Course, adult_on: date | None, notes: tuple[str, ...]) -> None:
    """Add what holds from a dose on, as if no other followed."""
    series, count, platform = lead.series, lead.valid_count, lead.series.platform
    if lead.completed_on:
        phases.append(_Phase(on, Standing("complete", count, series.dose_count, None, None, None, notes, platform)))
        if series.lasts_years is not None and (last_on := _months_after(on, 12 * series.lasts_years)) < date.max:
            lapsed = Standing("overdue", 0, series.dose_count, lead.last_on, last_on, None, notes)
            phases.append(_Phase(_days_after(last_on, 1), lapsed))
        return
    next_from_on = _days_after(lead.last_on, series.least_days)
    if adult_on and adult_on > next_from_on:
        next_from_on = adult_on
    next_until_on: date | None = None
    if count == 1 and series.second_within_days is not None:
        next_until_on = _days_after(lead.first_on, series.second_within_days)
    elif count == series.dose_count - 1 and series.last_within_months is not None:
        next_until_on = _months_after(lead.first_on, series.last_within_months)
    rest = (count, series.dose_count, next_from_on, next_until_on, None, notes, platform)
    if on < next_from_on:
        phases.append(_Phase(on, Standing("in_progress", *rest)))
    # a dose that changed nothing (of another platform) may come when the next one is long due
    due_on, late_on = max(on, next_from_on), date.max if next_until_on is None else _days_after(next_until_on, 1)
    if due_on < late_on:
        phases.append(_Phase(due_on, Standing("due", *rest)))
    if next_until_on is not None and next_until_on < date.max:
        phases.append(_Phase(max(due_on, late_on), Standing("overdue", *rest)))


def _phases(programme: Programme, doses: Sequence[Given], adult_on: date | None, notes: tuple[str, ...]) -> list[_Phase]:
    """What the doses alone say. Somebody whose first counting dose is yet to come has had none until then: it is known from that dose."""
    known, begins_on = programme.series_by_product, programme.begins_on
    before: Code = "not_started" if any(dose.product in known and dose.on >= begins_on for dose in doses) else "unknown"
    needed = programme.usual.dose_count
    phases = [_Phase(None, Standing(before, 0, needed, None, None, None, notes))]
    courses: list[Course] = []
    last = len(doses) - 1
    for place, dose in enumerate(doses):
        take(programme, courses, dose)
        if place < last and doses[place + 1].on == dose.on:
            continue  # the day is judged as a whole
        while (start := phases[-1].from_on) is not None and start >= dose.on:
            phases.pop()  # what would have come did not: this dose came before
        if not courses:
            phases.append(_Phase(dose.on, Standing(before, 0, needed, None, None, None, (*notes, "doses_not_counted"))))
            continue
        lead = leading(courses)
        noted = notes
        if adult_on and lead.first_on < adult_on:
            noted += ("under_age",)
        if lead.make_up and not lead.completed_on:
            noted += ("make_up_dose",)
        if len(courses) > 1:
            noted += ("mixed_platforms",)
        _after_dose(phases, dose.on, lead, adult_on, noted)
    return phases


def _change(phases: list[_Phase], from_on: date | None, until_on: date | None, change: Callable[[Standing], Standing]) -> None:
    """Change the standings from one day until the day before another; phases that cross one of the two are cut there."""
    for cut in (from_on, until_on):
        if cut is None or cut == date.min:
            continue
        place = bisect_right(phases, cut, key=lambda phase: phase.from_on or date.min)
        if phases[place - 1].from_on != cut:
            phases.insert(place, _Phase(cut, phases[place - 1].standing))
    for phase in phases:
        start = phase.from_on or date.min
        if (from_on is None or start >= from_on) and (until_on is None or start < until_on):
            phase.standing = change(phase.standing)


def _noted(standing: Standing, note: str) -> tuple[str, ...]:
    return tuple(known for known in NOTES if known == note or known in standing.notes)


def _note_age(phases: list[_Phase], adult_on: date) -> None:
    """Until the least age the programme does not ask for a dose: it is noted, and the first one may be taken from the birthday on."""

    def under_age(standing: Standing) -> Standing:
        first_on = standing.next_from_on if standing.valid_count else adult_on
        return standing._replace(notes=_noted(standing, "under_age"), next_from_on=first_on)

    _change(phases, None, adult_on, under_age)


def _no_dose(standing: Standing) -> Standing:
    return standing._replace(code="not_started") if standing.code == "unknown" else standing


def _elsewhere(standing: Standing) -> Standing:
    return standing if standing.valid_count else standing._replace(code="unknown", notes=_noted(standing, "said_elsewhere"))


def _declined(standing: Standing) -> Standing:
    return standing if standing.code == "complete" else standing._replace(code="declined")


_WEIGHT = {"elsewhere": 0, "not_started": 1, "declined": 2}  # of two statements on one day the heavier one is heard
_SAYING: dict[str, Callable[[Standing], Standing]] = {"elsewhere": _elsewhere, "not_started": _no_dose, "declined": _declined}


def _hear(phases: list[_Phase], statements: Sequence[Statement], doses: Sequence[Given]) -> None:
    """A statement holds from its day until before the next statement or dose. "None so far" holds backwards as well."""
    said = {s.on: s for s in sorted(statements, key=lambda s: _WEIGHT[s.kind])}
    if none_on := max((s.on for s in said.values() if s.kind == "not_started"), default=None):
        _change(phases, None, _days_after(none_on, 1), _no_dose)
    days = sorted({*said, *(dose.on for dose in doses)})
    given_on = {dose.on for dose in doses}
    for place, on in enumerate(days):
        if on in said and on not in given_on:
            _change(phases, on, days[place + 1] if place + 1 < len(days) else None, _SAYING[said[on].kind])


def _excuse(phases: list[_Phase], exempt: Sequence[Exempt]) -> None:
    """Exemptions that overlap or follow each other without a gap are one. When it ends the person is back by themselves."""
    periods: list[tuple[date, date]] = []  # first and last day; date.max is no end
    for one in sorted(exempt, key=lambda one: one.from_on):
        last = date.max if one.kind == "permanent" or one.until_on is None else one.until_on
        if last < one.from_on:
            continue
        if periods and one.from_on <= _days_after(periods[-1][1], 1):
            periods[-1] = (periods[-1][0], max(periods[-1][1], last))
        else:
            periods.append((one.from_on, last))
    for first, last in periods:
        end = None if last == date.max else last

        def exempted(standing: Standing, end: date | None = end) -> Standing:
            return standing if standing.code == "complete" else standing._replace(code="exempt", exempt_until_on=end)

        _change(phases, first, None if end is None else _days_after(end, 1), exempted)


def timeline(
    programme: Programme, *, born_on: date | None, given: Sequence[Given], exempt: Sequence[Exempt], statements: Sequence[Statement]
) -> tuple[Span, ...]:
    """How a person stands on every date there is: adjacent spans, neighbours differ, the first has no beginning and the last no end.

    Complete goes before exempt, exempt before declined, declined before what the doses say. Only approved exemptions are handed in. Each
    span sees the doses up to its date, so a dose yet to come changes nothing before it, except that it is known that nobody began earlier.
    """
    doses = in_order(programme, given)
    adult_on = None if born_on is None else _adult_on(programme, born_on)
    phases = _phases(programme, doses, adult_on, ("birth_date_missing",) if born_on is None and programme.least_age else ())
    if adult_on:
        _note_age(phases, adult_on)
    if statements:
        _hear(phases, statements, doses)
    if exempt:
        _excuse(phases, exempt)
    spans: list[Span] = []
    from_on, standing = None, phases[0].standing
    for phase in phases:
        if phase.standing != standing:
            spans.append(Span(from_on, phase.from_on, standing))
            from_on, standing = phase.from_on, phase.standing
    spans.append(Span(from_on, None, standing))
    return tuple(spans)


def standing_on(
    programme: Programme,
    on: date,
    *,
    born_on: date | None,
    given: Sequence[Given],
    exempt: Sequence[Exempt],
    statements: Sequence[Statement],
) -> Standing:
    """How a person stands on one date: the span of `timeline` that holds it."""
    spans = timeline(programme, born_on=born_on, given=given, exempt=exempt, statements=statements)
    return span_on(spans, on).standing


def span_on(spans: Sequence[Span], on: date) -> Span:
    """The span that holds a date."""
    return next(span for span in spans if span.until_on is None or on < span.until_on)
