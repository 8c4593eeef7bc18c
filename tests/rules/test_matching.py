"""A row beside the record: nothing is invented, nothing is doubled, and what was applied once changes nothing the second time."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from services.personnel.rules.matching import Choices, Known, KnownDose, Match, match, plain_department
from services.personnel.rules.rows import ParsedDose, ParsedRow, RowError

TODAY = date(2021, 8, 4)
DEPARTMENTS = {plain_department(name): name for name in ("教务处", "后勤服务中心")}
PRODUCTS = ("bibp", "coronavac", "sinopharm", "inactivated", "zf2001")


def row(**says: Any) -> ParsedRow:
    empty = dict.fromkeys(ParsedRow._fields)
    given: dict[str, Any] = {**empty, "row_no": 4, "number": "1001", "doses": (), "errors": (), "warnings": (), **says}
    return ParsedRow(**given)


def known(**more: Any) -> Known:
    return Known("p", "1001", **{"name": "江采薇", "department": "教务处", "employment": "permanent", **more})


def dose(ordinal: int, on: str, product: str = "bibp", lot: str | None = None) -> ParsedDose:
    return ParsedDose(ordinal, date.fromisoformat(on), product, lot, None)


def kept(dose_id: str, on: str, product: str = "bibp", lot: str | None = None) -> KnownDose:
    return KnownDose(dose_id, date.fromisoformat(on), product, lot)


def matched(told: ParsedRow, person: Known | None, **choices: Any) -> Match:
    return match(told, person, DEPARTMENTS, today=TODAY, choices=Choices(**choices))


def test_empty_cells_change_nothing() -> None:
    person = known(phone="+8619900000001", born_on=date(1985, 5, 17), left_on=date(2021, 7, 1), doses=(kept("a", "2021-03-12"),))
    assert matched(row(), person) == Match("same")


def test_a_new_person_needs_a_department_and_a_kind_of_employment() -> None:
    assert [error.code for error in matched(row(name="甘棠"), None).errors] == ["department_missing", "employment_missing"]
    found = matched(row(name="甘棠"), None, employment="agency", department="教务处")
    assert (found.outcome, found.fields) == (
        "new",
        {"name": "甘棠", "department": "教务处", "employment": "agency", "number": "1001"},
    )


def test_a_department_is_the_same_whatever_its_blanks_and_width() -> None:
    assert matched(row(department="教 务　处"), known()).outcome == "same"
    assert [one.code for one in matched(row(department="教务科"), known()).errors] == ["department_unknown"]
    assert matched(row(department="教务科"), known(), create_departments=True).fields == {"department": "教务科"}


def test_what_holds_for_new_people_changes_nobody_who_is_known() -> None:
    assert matched(row(), known(), employment="agency", department="后勤服务中心").outcome == "same"


def test_the_same_day_and_product_is_the_same_dose() -> None:
    person = known(doses=(kept("a", "2021-03-12"), kept("b", "2021-04-12")))
    assert matched(row(doses=(dose(2, "2021-04-12"),)), person).outcome == "same"


def test_a_less_exact_product_says_nothing_new_and_a_more_exact_one_corrects() -> None:
    assert matched(row(doses=(dose(1, "2021-03-12", "inactivated"),)), known(doses=(kept("a", "2021-03-12", "bibp"),))).outcome == "same"
    found = matched(row(doses=(dose(1, "2021-03-12", "bibp"),)), known(doses=(kept("a", "2021-03-12", "inactivated", "L1"),)))
    assert [(one.corrects, one.product_code, one.lot) for one in found.doses] == [("a", "bibp", "L1")]
    assert found.changes == (("dose1_product", "inactivated", "bibp"),)


def test_the_nth_dose_corrects_the_nth_on_record() -> None:
    person = known(doses=(kept("a", "2021-03-12"), kept("b", "2021-04-20")))
    found = matched(row(doses=(dose(1, "2021-03-12"), dose(2, "2021-04-27"), dose(3, "2021-06-01"))), person)
    assert [(one.corrects, one.on.isoformat()) for one in found.doses] == [("b", "2021-04-27"), (None, "2021-06-01")]


def test_a_dose_before_those_on_record_is_new_and_takes_nobodys_place() -> None:
    found = matched(row(doses=(dose(1, "2021-03-12"), dose(2, "2021-04-12"))), known(doses=(kept("b", "2021-04-12"),)))
    assert [(one.corrects, one.on.isoformat()) for one in found.doses] == [(None, "2021-03-12")]


def test_a_lot_that_was_missing_is_added_by_a_correction() -> None:
    found = matched(row(doses=(dose(1, "2021-03-12", lot="L1"),)), known(doses=(kept("a", "2021-03-12"),)))
    assert found.changes == (("dose1_lot", None, "L1"),)
    assert found.doses[0].corrects == "a"


def test_what_file_and_record_say_together_must_be_possible() -> None:
    left = matched(row(left_on=date(2010, 1, 1)), known(joined_on=date(2012, 3, 1)))
    assert [(error.field, error.code) for error in left.errors] == [("left_on", "left_before_joined")]
    born = matched(row(born_on=date(2021, 5, 1)), known(doses=(kept("a", "2021-03-12"),)))
    assert [(error.field, error.code) for error in born.errors] == [("born_on", "dose_before_birth")]


def test_a_statement_is_taken_when_there_is_none_and_none_newer() -> None:
    assert matched(row(statement="declined"), known()).statement == "declined"
    assert matched(row(statement="declined"), known(said=("declined", date(2021, 5, 1)))).outcome == "same"
    assert matched(row(statement="declined"), known(said=("not_started", TODAY))).outcome == "same"
    found = matched(row(statement="not_started"), known(doses=(kept("a", "2021-03-12"),)))
    assert (found.outcome, [one.code for one in found.warnings]) == ("same", ["statement_not_taken"])


def test_a_dose_that_was_taken_back_is_a_warning() -> None:
    found = matched(row(doses=(dose(1, "2021-03-12"),)), known(withdrawn=(date(2021, 3, 12),)))
    assert [one.code for one in found.warnings] == ["dose_was_withdrawn"]


def test_a_row_with_an_error_is_refused_as_a_whole() -> None:
    found = matched(row(name="别名", errors=(RowError("phone", "phone_wrong", {"text": "1"}),)), known())
    assert (found.outcome, found.changes, found.fields, found.doses) == ("refused", (), {}, ())


def applied(found: Match, person: Known | None) -> Known:
    """The person once the match has been written."""
    before = person or Known("p", "", "", "", "")
    corrected = {one.corrects for one in found.doses}
    doses = [one for one in before.doses if one.id not in corrected]
    doses += [KnownDose(f"n{i}", one.on, one.product_code, one.lot, one.place) for i, one in enumerate(found.doses)]
    said = (found.statement, TODAY) if found.statement else before.said
    fields: dict[str, Any] = dict(found.fields)
    return before._replace(**fields, doses=tuple(sorted(doses, key=lambda one: (one.on, one.product_code, one.id))), said=said)


days = some.integers(0, 40).map(lambda n: date(2021, 3, 1) + timedelta(3 * n))
words = some.sampled_from([None, "L1", "L2"])


@some.composite
def rows(draw: some.DrawFn) -> ParsedRow:
    ordinals = sorted(draw(some.sets(some.integers(1, 3))))
    ons = sorted(draw(some.lists(days, min_size=len(ordinals), max_size=len(ordinals), unique=True)))
    doses = tuple(
        ParsedDose(n, on, draw(some.sampled_from(PRODUCTS)), draw(words), draw(words)) for n, on in zip(ordinals, ons, strict=True)
    )
    statements = some.sampled_from([None, "declined"] if doses else [None, "declined", "not_started", "elsewhere"])
    born_on = draw(some.sampled_from([None, date(1985, 5, 17), date(2021, 3, 20)]))
    impossible = bool(born_on and doses and doses[0].on < born_on)  # which the reading of the row finds
    return row(
        errors=(RowError("dose1_on", "dose_before_birth", {}),) if impossible else (),
        name=draw(some.sampled_from(["江采薇", "江采微"])),
        department=draw(some.sampled_from([None, "教务处", "后勤 服务中心", "新处"])),
        employment=draw(some.sampled_from([None, "permanent", "agency"])),
        phone=draw(some.sampled_from([None, "+8619900000001"])),
        born_on=born_on,
        joined_on=draw(some.sampled_from([None, date(2012, 3, 1)])),
        left_on=draw(some.sampled_from([None, date(2021, 7, 1)])),
        doses=doses,
        statement=draw(statements),
    )


@some.composite
def people(draw: some.DrawFn) -> Known | None:
    if draw(some.integers(0, 4)) == 0:
        return None
    given = draw(some.lists(some.tuples(days, some.sampled_from(PRODUCTS), words), max_size=4, unique_by=lambda one: (one[0], one[1])))
    doses = [KnownDose(f"d{i}", on, product, lot) for i, (on, product, lot) in enumerate(given)]
    doses.sort(key=lambda one: (one.on, one.product_code))
    said = draw(some.sampled_from([None, ("declined", date(2021, 5, 1)), ("not_started", TODAY)]))
    return known(joined_on=draw(some.sampled_from([None, date(2011, 1, 1)])), doses=tuple(doses), said=said)


@settings(max_examples=400)
@given(rows(), people(), some.booleans())
def test_what_was_applied_once_changes_nothing_the_second_time(told: ParsedRow, person: Known | None, create: bool) -> None:
    choices = Choices(create_departments=create, employment="contract", department="教务处")
    first = match(told, person, DEPARTMENTS, today=TODAY, choices=choices)
    assert first.outcome in ("new", "changed", "same", "refused")
    if first.outcome == "refused":
        assert first.errors
        return
    assert (first.outcome == "new") == (person is None)
    assert (first.outcome == "changed") == bool(first.changes)
    after = applied(first, person)

    departments = DEPARTMENTS | {plain_department("新处"): "新处"} if create else DEPARTMENTS
    again = match(told, after, departments, today=TODAY, choices=choices)

    assert (again.outcome, again.changes, again.doses) == ("same", (), ())


@settings(max_examples=200)
@given(rows(), people())
def test_a_match_never_takes_a_dose_away_and_corrects_each_at_most_once(told: ParsedRow, person: Known | None) -> None:
    found = match(told, person, DEPARTMENTS, today=TODAY, choices=Choices(True, "contract", "教务处"))
    corrected = [one.corrects for one in found.doses if one.corrects]
    assert len(corrected) == len(set(corrected))
    assert set(corrected) <= {one.id for one in (person.doses if person else ())}
    if found.outcome != "refused":
        keys = [(one.on, one.product_code) for one in applied(found, person).doses]
        assert len(keys) == len(set(keys))
        assert len(keys) >= len(person.doses if person else ())
