"""How a person stands in the COVID-19 programme, in the words of the guideline, and what must hold for any history."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import TypedDict, TypeVar

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from services.personnel.rules.programmes import COVID19
from services.personnel.rules.standing import (
    CODES,
    NOTES,
    REASONS,
    Exempt,
    Given,
    Judged,
    Span,
    Standing,
    Statement,
    judge,
    standing_on,
    timeline,
)

BORN = date(1985, 5, 20)
FIRST = date(2021, 6, 1)


def day(number: int) -> date:
    """The first of June 2021 is day 0."""
    return FIRST + timedelta(number)


def doses(*given: tuple[int, str]) -> list[Given]:
    return [Given(f"{place}", product, day(on)) for place, (on, product) in enumerate(given)]


def sinovac(*days: int) -> list[Given]:
    return doses(*((on, "coronavac") for on in days))


def zhifei(*days: int) -> list[Given]:
    return doses(*((on, "zf2001") for on in days))


def on(
    number: int,
    given: Sequence[Given] = (),
    *,
    born_on: date | None = BORN,
    exempt: Sequence[Exempt] = (),
    statements: Sequence[Statement] = (),
) -> Standing:
    return standing_on(COVID19, day(number), born_on=born_on, given=given, exempt=exempt, statements=statements)


def worth(given: list[Given]) -> list[str | int | None]:
    """Number of a dose that counts, reason of one that does not; in order of date."""
    return [judged.number if judged.valid else judged.reason for judged in judge(COVID19, given, BORN)]


# two inactivated doses


def test_the_second_inactivated_dose_is_due_from_three_to_eight_weeks_after_the_first() -> None:
    given = sinovac(0)

    assert on(-1, given).code == "not_started"
    assert (on(0, given).code, on(20, given).code) == ("in_progress", "in_progress")
    assert (on(21, given).code, on(56, given).code) == ("due", "due")
    assert (on(57, given).code, on(900, given).code) == ("overdue", "overdue")
    assert on(30, given) == Standing("due", 1, 2, day(21), day(56), None, (), "inactivated")


def test_two_inactivated_doses_three_weeks_apart_complete_the_series() -> None:
    assert on(21, sinovac(0, 21)) == Standing("complete", 2, 2, None, None, None, (), "inactivated")


def test_a_late_second_dose_completes_the_series_which_is_never_started_anew() -> None:
    assert worth(sinovac(0, 300)) == [1, 2]
    assert (on(299, sinovac(0, 300)).code, on(300, sinovac(0, 300)).code) == ("overdue", "complete")


def test_an_inactivated_dose_within_fourteen_days_is_made_up_three_weeks_later() -> None:
    given = sinovac(0, 13)

    assert worth(given) == [1, "too_early"]
    assert on(13, given) == Standing("in_progress", 1, 2, day(34), day(56), None, ("make_up_dose",), "inactivated")
    assert on(34, given).code == "due"
    assert worth(sinovac(0, 13, 34)) == [1, "too_early", 2]
    assert on(34, sinovac(0, 13, 34)) == Standing("complete", 2, 2, None, None, None, (), "inactivated")


def test_a_make_up_dose_that_is_itself_too_early_is_made_up_again() -> None:
    assert worth(sinovac(0, 13, 33)) == [1, "too_early", "too_early"]
    assert on(33, sinovac(0, 13, 33)).next_from_on == day(54)


@pytest.mark.parametrize("days", [14, 17, 20])
def test_two_inactivated_doses_fourteen_to_twenty_one_days_apart_need_no_make_up(days: int) -> None:
    assert worth(sinovac(0, days)) == [1, 2]
    assert on(days, sinovac(0, days)).code == "complete"


def test_another_maker_of_the_same_platform_may_finish_the_series() -> None:
    assert worth(doses((0, "bibp"), (30, "coronavac"))) == [1, 2]
    assert worth(doses((0, "inactivated"), (30, "sinopharm"))) == [1, 2]
    assert on(30, doses((0, "bibp"), (30, "coronavac"))).notes == ()


def test_a_third_inactivated_dose_is_kept_and_does_not_count_because_there_is_no_booster_yet() -> None:
    assert worth(sinovac(0, 30, 200)) == [1, 2, "beyond_series"]
    assert on(200, sinovac(0, 30, 200)) == on(100, sinovac(0, 30))


# three recombinant doses


def test_three_recombinant_doses_four_weeks_apart_complete_the_series() -> None:
    given = zhifei(0, 28, 56)

    assert worth(given) == [1, 2, 3]
    assert on(28, given) == Standing("in_progress", 2, 3, day(56), date(2021, 12, 1), None, (), "subunit")
    assert on(56, given).code == "complete"


def test_the_second_recombinant_dose_is_due_within_eight_weeks_and_the_third_within_six_months_of_the_first() -> None:
    assert [on(n, zhifei(0)).code for n in (27, 28, 56, 57)] == ["in_progress", "due", "due", "overdue"]
    assert [standing_on(COVID19, d, born_on=BORN, given=zhifei(0, 40), exempt=(), statements=()).code for d in (day(67), day(68))] == [
        "in_progress",
        "due",
    ]
    assert on((date(2021, 12, 1) - FIRST).days, zhifei(0, 40)).code == "due"
    assert on((date(2021, 12, 2) - FIRST).days, zhifei(0, 40)).code == "overdue"


def test_six_months_end_on_the_last_day_of_a_shorter_month() -> None:
    given = [Given("a", "zf2001", date(2021, 8, 31)), Given("b", "zf2001", date(2021, 10, 1))]
    assert standing_on(COVID19, date(2021, 12, 1), born_on=BORN, given=given, exempt=(), statements=()).next_until_on == date(2022, 2, 28)


def test_a_recombinant_dose_before_four_weeks_does_not_count_and_is_made_up() -> None:
    assert worth(zhifei(0, 27, 60)) == [1, "too_early", 2]
    assert on(27, zhifei(0, 27)).notes == ("make_up_dose",)


def test_a_third_dose_that_may_only_be_taken_after_its_latest_date_is_overdue_from_the_first_day_it_may_be_taken() -> None:
    given = zhifei(0, 180)
    assert [on(n, given).code for n in (181, 207, 208)] == ["in_progress", "in_progress", "overdue"]


# one adenovirus dose, and mixed platforms


def test_one_adenovirus_dose_is_complete() -> None:
    assert on(0, doses((0, "convidecia"))) == Standing("complete", 1, 1, None, None, None, (), "adenovirus")


def test_doses_of_different_platforms_do_not_add_up() -> None:
    given = doses((0, "coronavac"), (30, "zf2001"))

    assert worth(given) == [1, "other_platform"]
    assert on(60, given).code == "overdue"
    assert on(30, given) == Standing("due", 1, 2, day(21), day(56), None, ("mixed_platforms",), "inactivated")


def test_the_platform_that_is_complete_leads_whatever_was_begun_first() -> None:
    given = doses((0, "coronavac"), (30, "convidecia"))

    assert worth(given) == ["other_platform", 1]
    assert on(29, given).platform == "inactivated"
    assert on(30, given) == Standing("complete", 1, 1, None, None, None, ("mixed_platforms",), "adenovirus")


def test_the_platform_with_the_fewest_doses_to_go_leads_while_none_is_complete() -> None:
    assert on(31, doses((0, "zf2001"), (30, "coronavac"))).platform == "inactivated"


# the same twice, and what is not known


def test_the_same_product_on_the_same_date_is_one_dose() -> None:
    assert worth(sinovac(0, 0, 30, 30)) == [1, "duplicate", 2, "duplicate"]


def test_of_two_entries_of_one_day_the_one_that_names_the_maker_is_the_dose() -> None:
    given = doses((0, "inactivated"), (0, "bibp"))
    assert judge(COVID19, given, BORN) == [Judged("1", 1, True, None), Judged("0", None, False, "duplicate")]


def test_a_dose_of_an_unknown_product_or_before_any_vaccine_was_tried_is_kept_with_its_reason() -> None:
    given = [Given("a", "comirnaty", day(0)), Given("b", "coronavac", date(2012, 6, 1))]

    assert [judged.reason for judged in judge(COVID19, given, BORN)] == ["before_programme", "unknown_product"]
    assert on(5, given) == Standing("unknown", 0, 2, None, None, None, ("doses_not_counted",), None)


def test_nothing_known_is_unknown_and_somebody_whose_first_dose_is_yet_to_come_has_not_started() -> None:
    assert on(0) == Standing("unknown", 0, 2)
    assert on(0, sinovac(1)).code == "not_started"


# age


def test_without_a_birth_date_the_doses_count_and_the_gap_is_noted() -> None:
    assert on(30, sinovac(0, 30), born_on=None) == Standing("complete", 2, 2, None, None, None, ("birth_date_missing",), "inactivated")
    assert on(0, born_on=None).notes == ("birth_date_missing",)


def test_somebody_under_eighteen_is_not_asked_for_a_dose_before_the_birthday() -> None:
    born_on = date(2003, 6, 11)  # 18 on day 10

    assert on(9, born_on=born_on) == Standing("unknown", 0, 2, day(10), None, None, ("under_age",), None)
    assert on(10, born_on=born_on) == Standing("unknown", 0, 2)


def test_a_dose_given_under_eighteen_counts_and_is_noted_and_the_next_waits_for_the_birthday() -> None:
    born_on = date(2003, 7, 11)  # 18 on day 40

    assert on(30, sinovac(0), born_on=born_on) == Standing("in_progress", 1, 2, day(40), day(56), None, ("under_age",), "inactivated")
    assert on(40, sinovac(0), born_on=born_on).code == "due"
    assert on(60, sinovac(0, 50), born_on=born_on) == Standing("complete", 2, 2, None, None, None, ("under_age",), "inactivated")


def test_who_is_born_on_the_29th_of_february_is_eighteen_on_the_first_of_march() -> None:
    spans = timeline(COVID19, born_on=date(2004, 2, 29), given=(), exempt=(), statements=())
    assert [span.until_on for span in spans] == [date(2022, 3, 1), None]


# exemptions


def test_a_temporary_exemption_lapses_by_itself_and_the_person_is_back() -> None:
    exempt = [Exempt("temporary", day(10), day(70))]
    given = sinovac(0)

    assert on(9, given, exempt=exempt).code == "in_progress"
    assert on(10, given, exempt=exempt) == Standing("exempt", 1, 2, day(21), day(56), day(70), (), "inactivated")
    assert (on(70, given, exempt=exempt).code, on(71, given, exempt=exempt).code) == ("exempt", "overdue")


def test_a_permanent_exemption_does_not_end() -> None:
    spans = timeline(COVID19, born_on=BORN, given=(), exempt=[Exempt("permanent", day(0))], statements=())
    assert spans[-1] == Span(day(0), None, Standing("exempt", 0, 2))


def test_exemptions_that_follow_each_other_are_one() -> None:
    exempt = [Exempt("temporary", day(31), day(60)), Exempt("temporary", day(0), day(30))]
    assert on(5, exempt=exempt).exempt_until_on == day(60)


def test_complete_goes_before_exempt_and_exempt_before_declined() -> None:
    exempt = [Exempt("permanent", day(0))]
    statements = [Statement("declined", day(1))]

    assert on(40, sinovac(0, 30), exempt=exempt, statements=statements).code == "complete"
    assert on(40, exempt=exempt, statements=statements).code == "exempt"


# what people say


def test_who_declines_has_declined_until_a_dose_or_another_word() -> None:
    assert [on(n, statements=[Statement("declined", day(5))]).code for n in (4, 5, 500)] == ["unknown", "declined", "declined"]
    assert [on(n, sinovac(9), statements=[Statement("declined", day(5))]).code for n in (8, 9, 30)] == ["declined", "in_progress", "due"]
    assert on(10, statements=[Statement("declined", day(5)), Statement("not_started", day(9))]).code == "not_started"


def test_who_declines_the_second_dose_has_declined_with_one_dose() -> None:
    standing = on(30, sinovac(0), statements=[Statement("declined", day(25))])
    assert (standing.code, standing.valid_count) == ("declined", 1)


def test_who_says_that_there_was_none_had_none_before_either() -> None:
    assert [on(n, statements=[Statement("not_started", day(5))]).code for n in (-300, 5, 300)] == ["not_started"] * 3


def test_who_says_it_was_elsewhere_is_unknown_until_the_record_comes() -> None:
    statements = [Statement("elsewhere", day(5))]

    assert on(6, statements=statements) == Standing("unknown", 0, 2, None, None, None, ("said_elsewhere",), None)
    assert on(6, sinovac(-60, -30), statements=statements).code == "complete"
    assert on(6, sinovac(0), statements=statements).code == "in_progress"


def test_a_recorded_dose_goes_before_the_word_that_there_was_none() -> None:
    assert on(10, sinovac(0), statements=[Statement("not_started", day(5))]).code == "in_progress"


# what holds for any history


class History(TypedDict):
    born_on: date | None
    given: list[Given]
    exempt: list[Exempt]
    statements: list[Statement]


PRODUCTS = ["coronavac", "bibp", "inactivated", "zf2001", "convidecia", "comirnaty"]
any_day = st.integers(-40, 260).map(day)
any_born = st.none() | st.dates(date(1950, 1, 1), date(2004, 12, 31)) | st.dates(date(2003, 5, 1), date(2004, 2, 29))
any_given = st.lists(st.tuples(st.sampled_from(PRODUCTS), any_day | st.just(date(2015, 1, 1))), max_size=6).map(
    lambda rows: [Given(str(place), product, given_on) for place, (product, given_on) in enumerate(rows)]
)
any_exempt = st.lists(st.builds(Exempt, st.sampled_from(["temporary", "permanent"]), any_day, st.none() | any_day), max_size=3)
any_statements = st.lists(st.builds(Statement, st.sampled_from(["declined", "not_started", "elsewhere"]), any_day), max_size=3)
any_history = st.builds(History, born_on=any_born, given=any_given, exempt=any_exempt, statements=any_statements)
Row = TypeVar("Row")
CALENDAR = [day(number) for number in range(-60, 480)]


@for_any(any_history)
def test_spans_cover_the_calendar_once_and_neighbours_differ(history: History) -> None:
    spans = timeline(COVID19, **history)

    assert spans[0].from_on is None
    assert spans[-1].until_on is None
    for one, next_one in pairwise(spans):
        assert one.until_on == next_one.from_on
        assert one.standing != next_one.standing
    cuts = [span.from_on for span in spans if span.from_on]
    assert cuts == sorted(set(cuts))
    assert len(cuts) == len(spans) - 1


@for_any(any_history, st.permutations(range(6)))
def test_the_order_in_which_things_were_recorded_does_not_matter(history: History, order: list[int]) -> None:
    def shuffled(rows: list[Row]) -> list[Row]:
        return [rows[place] for place in order if place < len(rows)]

    other = History(
        born_on=history["born_on"],
        given=shuffled(history["given"]),
        exempt=shuffled(history["exempt"]),
        statements=shuffled(history["statements"]),
    )
    assert timeline(COVID19, **other) == timeline(COVID19, **history)
    assert judge(COVID19, other["given"], None) == judge(COVID19, history["given"], None)


@for_any(any_history)
def test_every_date_falls_into_exactly_one_bucket_with_known_words(history: History) -> None:
    spans = timeline(COVID19, **history)
    for span in spans:
        assert span.standing.code in CODES
        assert set(span.standing.notes) <= set(NOTES)
        assert list(span.standing.notes) == [note for note in NOTES if note in span.standing.notes]
        assert 0 <= span.standing.valid_count <= span.standing.needed_count
        assert (span.standing.code == "complete") == (span.standing.valid_count == span.standing.needed_count)
        assert (span.standing.platform is None) == (span.standing.valid_count == 0)
    buckets = Counter(next(s for s in spans if s.until_on is None or on_day < s.until_on).standing.code for on_day in CALENDAR)
    assert sum(buckets.values()) == len(CALENDAR)


@for_any(any_given, any_born)
def test_each_dose_is_judged_once_and_no_more_count_than_were_given(given: list[Given], born_on: date | None) -> None:
    judged = judge(COVID19, given, born_on)

    assert Counter(one.id for one in judged) == Counter(one.id for one in given)
    assert all(one.valid == (one.reason is None) == (one.number is not None) for one in judged)
    assert {one.reason for one in judged} <= {None, *REASONS}
    assert [one.number for one in judged if one.valid] == list(range(1, sum(one.valid for one in judged) + 1))
    final = timeline(COVID19, born_on=born_on, given=given, exempt=(), statements=())[-1].standing
    assert final.valid_count == sum(one.valid for one in judged)


@for_any(any_history, st.sampled_from(PRODUCTS), any_day)
def test_a_dose_that_adds_nothing_never_makes_complete_incomplete(history: History, product: str, given_on: date) -> None:
    """Another platform, an unknown product, the same dose again, or a dose after completion."""
    final = timeline(COVID19, **history)[-1].standing
    if final.code != "complete":
        return
    completed_on = next(span.from_on for span in timeline(COVID19, **history) if span.standing.code == "complete")
    assert completed_on is not None
    series = COVID19.series_by_product.get(product)
    same_again = [Given("again", one.product, one.on) for one in history["given"]]
    if series is None or series.platform != final.platform or given_on > completed_on:
        same_again.append(Given("extra", product, given_on))

    history["given"] += same_again
    more = timeline(COVID19, **history)

    assert more[-1].standing.code == "complete"


@for_any(any_history, any_day)
def test_a_dose_yet_to_come_changes_nothing_before_it_but_that_nobody_began_earlier(history: History, given_on: date) -> None:
    with_dose = history.copy()
    with_dose["given"] = [*history["given"], Given("later", "coronavac", given_on)]
    for on_day in (given_on - timedelta(1), given_on - timedelta(20)):
        before, after = (standing_on(COVID19, on_day, **one) for one in (history, with_dose))
        assert after == before or (before.code == "unknown" and after == before._replace(code="not_started"))


def plainly(
    on_day: date, *, born_on: date | None, given: list[Given], exempt: list[Exempt], statements: list[Statement]
) -> tuple[str, int, date | None]:
    """The same rules, once more and for one single day, as one would explain them by hand: code, doses that count, last day exempt."""
    rules = {"inactivated": (2, 14, 21, 56), "subunit": (3, 28, 28, 56), "adenovirus": (1, 0, 0, 0)}
    order = ["inactivated", "subunit", "adenovirus"]
    platforms = {"coronavac": order[0], "bibp": order[0], "inactivated": order[0], "zf2001": order[1], "convidecia": order[2]}
    usable = [one for one in given if one.product in platforms and one.on >= date(2020, 3, 16)]
    leads = []
    for platform in order:
        count, apart, least, within = rules[platform]
        days = sorted({one.on for one in usable if platforms[one.product] == platform and one.on <= on_day})
        counted: list[date] = []
        made_up = False
        previous = date.min
        for on_date in days:
            if len(counted) == count:
                break
            if not counted or (on_date - previous).days >= (least if made_up else apart):
                counted.append(on_date)
                made_up = False
            else:
                made_up = True
            previous = on_date
        if counted:
            done_on = counted[-1] if len(counted) == count else date.max
            leads.append(
                (done_on, count - len(counted), counted[0], order.index(platform), len(counted), previous, least, within, platform)
            )
    exempt_days = {
        one.from_on + timedelta(n)
        for one in exempt
        for n in range(800)
        if one.kind == "permanent" or one.until_on is None or one.from_on + timedelta(n) <= one.until_on
    }
    last_exempt = on_day
    while last_exempt + timedelta(1) in exempt_days:
        last_exempt += timedelta(1)
    end = last_exempt if last_exempt < day(500) else None
    lead = min(leads, default=None)
    valid = lead[4] if lead else 0
    if lead and lead[1] == 0:
        return "complete", valid, None
    if on_day in exempt_days:
        return "exempt", valid, end
    spoken = [one for one in statements if one.on <= on_day and not any(one.on <= dose.on <= on_day for dose in given)]
    word = max(spoken, key=lambda one: (one.on, ["elsewhere", "not_started", "declined"].index(one.kind)), default=None)
    if word and word.kind == "declined":
        return "declined", valid, None
    if lead is None:
        if word and word.kind == "elsewhere":
            return "unknown", 0, None
        loudest = {s.on: s.kind for s in sorted(statements, key=lambda s: ["elsewhere", "not_started", "declined"].index(s.kind))}
        none_until = max((d for d, kind in loudest.items() if kind == "not_started"), default=date.min)
        none = usable or on_day <= none_until or (word and word.kind == "not_started")
        return ("not_started" if none else "unknown"), 0, None
    _, _, first_on, _, _, previous, least, within, platform = lead
    earliest = previous + timedelta(least)
    if born_on:
        adult_on = date(born_on.year + 18, 3, 1) if (born_on.month, born_on.day) == (2, 29) else born_on.replace(year=born_on.year + 18)
        earliest = max(earliest, adult_on)
    latest = first_on + timedelta(within)
    if platform == "subunit" and valid == 2:
        months = first_on.month - 1 + 6
        year, month = first_on.year + months // 12, months % 12 + 1
        month_end = (date(year + month // 12, month % 12 + 1, 1) - timedelta(1)).day
        latest = date(year, month, min(first_on.day, month_end))
    if on_day < earliest:
        return "in_progress", valid, None
    return ("due" if on_day <= latest else "overdue"), valid, None


@settings(max_examples=400)  # two platforms, or a statement between two doses, are rare among a hundred
@for_any(any_history, st.lists(st.sampled_from(CALENDAR), min_size=1, max_size=8))
def test_the_spans_say_what_one_would_say_by_hand_on_any_day(history: History, days: list[date]) -> None:
    spans = timeline(COVID19, **history)
    cuts = [span.from_on for span in spans if span.from_on]
    for on_day in {*days, *cuts, *(cut - timedelta(1) for cut in cuts)}:
        standing = standing_on(COVID19, on_day, **history)
        held = [span for span in spans if (span.from_on or date.min) <= on_day < (span.until_on or date.max)]
        assert [span.standing for span in held] == [standing]
        assert (standing.code, standing.valid_count, standing.exempt_until_on) == plainly(on_day, **history)
