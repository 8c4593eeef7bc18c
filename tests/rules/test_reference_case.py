"""The reference case is what it says: 120 people in 9 departments, read as an import reads them, judged on 4 August 2021."""

from collections import Counter
from datetime import date
from io import BytesIO

import phonenumbers
import pytest
from python_calamine import CalamineWorkbook

from infra.reference import cast, history
from infra.reference.large import DEPARTMENTS_AT_MOST, department_names, large_list
from infra.reference.sheet import DOSES_AT_MOST, HEADINGS, TITLE_ROWS, staff_list
from services.personnel.rules.columns import find_heading_row, map_columns
from services.personnel.rules.products import recognise
from services.personnel.rules.programmes import COVID19
from services.personnel.rules.rows import parse_rows
from services.personnel.rules.standing import CODES, Exempt, Given, Standing, Statement, judge, standing_on

BUCKETS = {
    "complete": 108,
    "due": 2,
    "overdue": 1,
    "in_progress": 2,
    "not_started": 3,
    "exempt": 2,
    "declined": 1,
    "unknown": 1,
}


def _given(someone: cast.Person) -> list[Given]:
    return [Given(place, dose.product, dose.given_on) for place, dose in enumerate(history.doses_of(someone))]


def _standing(someone: cast.Person, on: date = cast.ON) -> Standing:
    exempt = [Exempt(one.kind, one.from_on, one.until_on) for one in history.EXEMPTIONS if one.name == someone.name and one.decided_by]
    said = [Statement(one.kind, one.on) for one in history.STATEMENTS if one.name == someone.name]
    return standing_on(COVID19, on, born_on=someone.born_on, given=_given(someone), exempt=exempt, statements=said)


def test_the_institution_has_120_people_in_9_departments_and_nobody_is_taken_for_another() -> None:
    people = cast.people()

    assert len(people) == len({someone.name for someone in people}) == len({someone.number for someone in people}) == 120
    assert len({someone.phone for someone in people}) == 120
    assert Counter(someone.department for someone in people) == {one.name: one.people_count for one in cast.DEPARTMENTS}
    assert {someone.employment for someone in people} == set(cast.EMPLOYMENTS)


def test_every_phone_number_is_plainly_invented_and_yet_one_a_library_accepts() -> None:
    for someone in cast.people():
        assert someone.phone.startswith("1990000")
        assert phonenumbers.is_valid_number(phonenumbers.parse(someone.phone, "CN"))


@pytest.mark.parametrize("department", cast.DEPARTMENTS, ids=lambda department: str(department.name))
def test_head_reporter_and_deputy_work_in_their_department(department: cast.Department) -> None:
    for name in (department.head, department.reporter, department.deputy):
        assert cast.person(name).department == department.name


def test_everyone_with_a_part_in_the_story_is_on_the_staff_list() -> None:
    told = [*history.STORIES, *(one.name for one in (*history.EXEMPTIONS, *history.STATEMENTS, *history.CORRECTIONS, *history.REMARKS))]
    told += [cast.HEALTH_RECORDS, cast.SECOND_HEALTH_RECORDS, cast.LEADER, cast.SECOND_LEADER, cast.ADMINISTRATOR, cast.REPORTER, cast.HEAD]

    assert {cast.person(name).name for name in (*told, cast.STAFF)} == {*told, cast.STAFF}


def test_on_4_august_every_standing_has_somebody_and_together_they_are_everybody() -> None:
    standings = Counter(_standing(someone).code for someone in cast.people())

    assert standings == BUCKETS
    assert set(standings) == set(CODES)


def test_the_two_departments_of_the_people_page_add_up() -> None:
    shown = [_standing(someone).code for someone in cast.people() if someone.department in {"教务处", "后勤服务中心"}]

    assert len(shown) == 41
    assert shown.count("complete") == 32
    assert sum(code in {"due", "overdue", "in_progress"} for code in shown) == 5


def test_the_next_dose_of_one_who_has_begun_has_its_first_day() -> None:
    standing = _standing(cast.person("孟一舟"))

    assert (standing.code, standing.valid_count, standing.needed_count) == ("in_progress", 1, 2)
    assert standing.next_from_on == date(2021, 8, 9)


def test_an_exemption_lapses_by_itself() -> None:
    recovering = cast.person("顾长亭")

    assert _standing(recovering, date(2021, 10, 31)).code == "exempt"
    assert _standing(recovering, date(2021, 11, 1)).code != "exempt"


@pytest.mark.parametrize(
    ("name", "counts", "reasons"),
    [
        ("庄晓梦", 2, {"too_early"}),
        ("陶一鸣", 2, set()),
        ("丁一帆", 2, set()),
        ("程牧野", 2, set()),
        ("柳映川", 2, {"other_platform"}),
    ],
)
def test_a_dose_given_is_not_always_a_dose_that_counts(name: str, counts: int, reasons: set[str]) -> None:
    judged = judge(COVID19, _given(cast.person(name)), cast.person(name).born_on)

    assert sum(dose.valid for dose in judged) == counts
    assert {dose.reason for dose in judged if not dose.valid} == reasons


def test_nobody_was_vaccinated_too_young_or_in_the_future() -> None:
    for someone, doses in history.on_staff_list():
        for dose in doses:
            assert COVID19.begins_on < dose.given_on <= cast.ON
            assert someone.born_on is None or someone.born_on.replace(year=someone.born_on.year + COVID19.least_age) < dose.given_on


def test_the_words_of_the_staff_list_name_the_products_that_are_meant() -> None:
    for code, words in history.PRODUCTS.items():
        product = recognise(words, COVID19)
        assert product is not None
        assert product.code == code


def test_the_staff_list_is_read_column_by_column_below_its_titles() -> None:
    rows = CalamineWorkbook.from_filelike(BytesIO(staff_list())).get_sheet_by_index(0).to_python()

    assert len(rows) == TITLE_ROWS + 1 + 120
    assert tuple(rows[TITLE_ROWS]) == HEADINGS
    headings = [[str(cell) for cell in row] for row in rows]
    assert find_heading_row(headings) == TITLE_ROWS
    fields = {column.heading: column.field for column in map_columns(HEADINGS)}
    assert fields.pop("序号") is None
    assert None not in fields.values()
    assert len(set(fields.values())) == len(HEADINGS) - 1
    assert all(len(doses) <= DOSES_AT_MOST for _, doses in history.on_staff_list())


def test_every_row_of_the_staff_list_is_taken_over_as_it_was_meant() -> None:
    sheet = CalamineWorkbook.from_filelike(BytesIO(staff_list())).get_sheet_by_index(0).to_python()
    rows = [[cell.isoformat() if isinstance(cell, date) else cell if isinstance(cell, str) else str(cell) for cell in row] for row in sheet]

    parsed = parse_rows(rows, TITLE_ROWS, map_columns(HEADINGS), today=cast.ON)

    assert [row.errors for row in parsed if row.errors] == []
    for row, (someone, doses) in zip(parsed, history.on_staff_list(), strict=True):
        assert (row.number, row.name, row.department, row.employment) == (
            someone.number,
            someone.name,
            someone.department,
            someone.employment,
        )
        assert (row.born_on, row.joined_on) == (someone.born_on, someone.joined_on)
        assert row.phone is not None
        assert row.phone.endswith(someone.phone)
        assert [(dose.product_code, dose.on, dose.lot, dose.place) for dose in row.doses] == [
            (dose.product, dose.given_on, dose.lot, dose.place) for dose in doses
        ]


def test_a_large_institution_is_the_same_one_each_time() -> None:
    once, again = list(large_list(500)), list(large_list(500))

    assert once == again
    assert all(dose.given_on <= cast.ON for _, doses in once for dose in doses)
    assert len({someone.number for someone, _ in once}) == 500
    assert len(set(department_names(5000))) == DEPARTMENTS_AT_MOST
