"""Who is fit for what: from the standings of any history, without a gap, and never less for one more dose."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from services.personnel.rules.fitness import RULE_SETS, Fit, Lack, Need, begins_at, fit, lacking, rules_that_need
from services.personnel.rules.products import recognise
from services.personnel.rules.programmes import COVID19, OF_EVERYBODY, PROGRAMMES, TETANUS
from services.personnel.rules.standing import Exempt, Given, Span, Standing, judge, span_on, timeline
from shared.fitness import CODES, NONE, asks

BORN = date(1985, 5, 17)
TODAY = date(2021, 8, 4)
PRODUCTS = {"covid19": ("bibp", "coronavac", "zf2001", "convidecia"), "tetanus": ("tt", "td", "dtap")}
FIRST = {"covid19": date(2021, 1, 1), "tetanus": date(1995, 1, 1)}


def spans(programme: str, *doses: tuple[str, date], exempt: tuple[Exempt, ...] = ()) -> tuple[Span, ...]:
    given = [Given(str(place), product, on) for place, (product, on) in enumerate(doses)]
    return timeline(PROGRAMMES[programme], born_on=BORN, given=given, exempt=exempt, statements=())


def history(programme: str) -> st.SearchStrategy[list[tuple[str, date]]]:
    return st.lists(st.tuples(st.sampled_from(PRODUCTS[programme]), st.dates(FIRST[programme], TODAY)), max_size=5)


def holds(one: Fit, on: date) -> bool:
    return one.fit_from is not None and one.fit_from <= on and (one.fit_until is None or on < one.fit_until)


def test_every_rule_set_has_its_code_in_every_language_and_asks_for_programmes_that_are() -> None:
    assert set(RULE_SETS) == set(CODES)
    assert {need.programme for needs in RULE_SETS.values() for need in needs} <= set(PROGRAMMES)
    assert [rule for rule in CODES if not asks(rule)] == [NONE]
    assert not asks(None)


def test_a_staff_list_decides_every_rule_set_that_speaks_of_its_programme() -> None:
    assert {need.programme for rule in rules_that_need("covid19") for need in RULE_SETS[rule]} == {"covid19"}
    assert OF_EVERYBODY == ("covid19",)


def test_a_complete_series_is_fit_for_a_testing_point_from_its_last_dose_on() -> None:
    two = spans("covid19", ("bibp", date(2021, 3, 12)), ("bibp", date(2021, 4, 12)))

    assert fit("testing_point", {"covid19": two}) == Fit("testing_point", date(2021, 4, 12), None)
    assert fit("testing_point", {"covid19": spans("covid19", ("bibp", date(2021, 3, 12)))}) == Fit("testing_point", None, None)
    assert fit("testing_point", {}) == Fit("testing_point", None, None)


def test_an_exemption_makes_nobody_fit() -> None:
    exempt = spans("covid19", ("bibp", date(2021, 3, 12)), exempt=(Exempt("permanent", date(2021, 8, 1)),))

    assert span_on(exempt, TODAY).standing.code == "exempt"
    assert fit("testing_point", {"covid19": exempt}).fit_from is None


@pytest.mark.parametrize(
    ("given_on", "until"),
    [(date(2011, 8, 4), date(2021, 8, 5)), (date(2012, 2, 29), date(2022, 3, 1)), (date(2011, 8, 3), date(2021, 8, 4))],
)
def test_a_dose_of_tetanus_lasts_ten_years_its_last_day_included(given_on: date, until: date) -> None:
    assert fit("flood_rescue", {"tetanus": spans("tetanus", ("tt", given_on))}) == Fit("flood_rescue", given_on, until)


def test_a_further_dose_of_tetanus_prolongs_and_after_a_gap_begins_anew() -> None:
    in_time = spans("tetanus", ("tt", date(2008, 1, 1)), ("td", date(2017, 6, 1)))
    too_late = spans("tetanus", ("tt", date(2001, 1, 1)), ("td", date(2017, 6, 1)))

    assert fit("flood_rescue", {"tetanus": in_time}) == Fit("flood_rescue", date(2008, 1, 1), date(2027, 6, 2))
    assert fit("flood_rescue", {"tetanus": too_late}) == Fit("flood_rescue", date(2017, 6, 1), date(2027, 6, 2))
    assert span_on(too_late, date(2015, 1, 1)).standing == Standing("overdue", 0, 1, date(2001, 1, 1), date(2011, 1, 1))


def test_nothing_is_asked_of_anybody_by_the_rule_set_without_needs() -> None:
    assert fit(NONE, {}) == Fit(NONE, date.min, None)
    assert lacking(NONE, {}) == []


def test_what_puts_it_right_is_told_with_the_first_day() -> None:
    begun = span_on(spans("covid19", ("bibp", date(2021, 7, 30))), TODAY).standing
    lapsed = span_on(spans("tetanus", ("tt", date(2009, 5, 1))), TODAY).standing

    assert lacking("testing_point", {"covid19": begun}) == [Lack("covid19", "in_progress", 1, date(2021, 8, 20))]
    assert lacking("testing_point", {}) == [Lack("covid19", "unknown", 2, None)]
    assert lacking("flood_rescue", {"tetanus": lapsed}) == [Lack("tetanus", "overdue", 1, date(2009, 5, 1))]


def test_a_rule_set_of_two_needs_is_met_while_both_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULE_SETS, "both", (Need("covid19"), Need("tetanus")))
    two = spans("covid19", ("bibp", date(2021, 3, 12)), ("bibp", date(2021, 4, 12)))
    tetanus = spans("tetanus", ("tt", date(2012, 1, 1)))

    assert fit("both", {"covid19": two, "tetanus": tetanus}) == Fit("both", date(2021, 4, 12), date(2022, 1, 2))
    assert fit("both", {"covid19": two}) == Fit("both", None, None)


@pytest.mark.parametrize(("rule", "programme"), [("testing_point", "covid19"), ("flood_rescue", "tetanus")])
@for_any(st.data())
def test_the_time_is_the_last_in_which_all_is_met_whole_and_without_a_gap(rule: str, programme: str, data: st.DataObject) -> None:
    theirs = spans(programme, *data.draw(history(programme)))

    one = fit(rule, {programme: theirs})

    met = [span for span in theirs if span.standing.code == "complete"]
    assert (one.fit_from is None) == (not met)
    if one.fit_from is None:
        return
    assert one.fit_until is None or one.fit_from < one.fit_until
    assert one.fit_until == met[-1].until_on
    for span in met:
        inside = span.from_on is not None and span.from_on >= one.fit_from
        assert inside or (span.until_on is not None and span.until_on < one.fit_from)
    for span in theirs:
        if span.from_on is not None and holds(one, span.from_on):
            assert span.standing.code == "complete"
    assert span_on(theirs, one.fit_from - timedelta(days=1)).standing.code != "complete"


@for_any(history("covid19"), st.sampled_from(PRODUCTS["covid19"]), st.integers(0, 400))
def test_another_dose_later_makes_nobody_less_fit_for_a_testing_point(doses: list[tuple[str, date]], product: str, days: int) -> None:
    later = max((on for _, on in doses), default=FIRST["covid19"]) + timedelta(days=days + 1)
    before = fit("testing_point", {"covid19": spans("covid19", *doses)})
    after = fit("testing_point", {"covid19": spans("covid19", *doses, (product, later))})

    assert before.fit_from is None or after == before


@for_any(history("tetanus"), st.sampled_from(PRODUCTS["tetanus"]), st.dates(FIRST["tetanus"], TODAY), st.integers(0, 5000))
def test_another_dose_whenever_it_was_makes_nobody_less_fit_for_a_flood(
    doses: list[tuple[str, date]], product: str, given_on: date, days: int
) -> None:
    on = TODAY + timedelta(days=days)
    before = fit("flood_rescue", {"tetanus": spans("tetanus", *doses)})
    after = fit("flood_rescue", {"tetanus": spans("tetanus", *doses, (product, given_on))})

    assert not holds(before, on) or holds(after, on)


@for_any(history("tetanus"))
def test_every_dose_of_tetanus_counts_once_a_day(doses: list[tuple[str, date]]) -> None:
    judged = judge(TETANUS, [Given(str(place), product, on) for place, (product, on) in enumerate(doses)], None)

    assert {one.reason for one in judged} <= {None, "duplicate"}
    assert sum(one.valid for one in judged) == len({on for _, on in doses})


@pytest.mark.parametrize(
    ("text", "code"),
    [("破伤风", "tt"), ("吸附破伤风疫苗", "tt"), ("白破", "td"), ("百白破疫苗", "dtap"), ("Tdap", "dtap"), ("tetanus vaccine", "tt")],
)
def test_the_names_that_people_write_are_read(text: str, code: str) -> None:
    found = recognise(text, TETANUS)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("text", ["破伤风抗毒素", "破伤风免疫球蛋白", "疫苗", "北京生物"])
def test_what_is_no_vaccine_of_it_is_not_taken_for_one(text: str) -> None:
    assert recognise(text, TETANUS) is None


def test_the_other_programme_is_as_it_was() -> None:
    assert COVID19.of_everybody
    assert all(series.lasts_years is None for series in COVID19.series)


def test_a_day_begins_where_the_institution_is() -> None:
    assert begins_at(date(2021, 4, 12), ZoneInfo("Asia/Shanghai")) == datetime(2021, 4, 11, 16, tzinfo=UTC)
    assert begins_at(None, ZoneInfo("Asia/Shanghai")) is None
