"""What a row of a staff list becomes, and how it says all that is wrong with it at once."""

from collections.abc import Sequence
from datetime import date, timedelta

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from services.personnel.doses import NewDose
from services.personnel.people import NewPerson
from services.personnel.rules.cells import CHINESE_MOBILE, LIMITS, clean, read_date, read_email, read_employment, read_phone, read_status
from services.personnel.rules.columns import Cell, Column, map_columns
from services.personnel.rules.programmes import COVID19
from services.personnel.rules.rows import ParsedRow, parse_row, parse_rows
from services.personnel.rules.words import SENTENCES, sentence
from shared.refusals import Reason
from shared.web import Body

TODAY = date(2021, 8, 4)
HEADINGS = ["工号", "姓名", "处室", "用工", "手机", "出生日期", "疫苗名称", "第一针", "第二针", "第三针", "接种情况"]
SINOVAC = "北京科兴"


def read(*cells: Cell, headings: Sequence[str] = HEADINGS, today: date = TODAY) -> ParsedRow:
    return parse_row(7, cells, map_columns(headings), today=today)


def person(**fields: Cell) -> ParsedRow:
    """A row that has a number and a name, and what is said besides."""
    said = {"工号": "A001", "姓名": "苏木"} | fields
    return read(*said.values(), headings=list(said))


def wrong(row: ParsedRow) -> list[tuple[str, str]]:
    return [(error.field, error.code) for error in row.errors]


def test_a_good_row_is_a_person_with_doses() -> None:
    row = read("L2109-0386", "苏木", "办公室", "在编", "138 0013 8000", "1990/1/2", SINOVAC, "2021/4/6", "2021/5/4")

    assert row.errors == ()
    assert row.warnings == ()
    assert row[:10] == (7, "L2109-0386", "苏木", "办公室", "permanent", "+8613800138000", None, date(1990, 1, 2), None, None)
    assert [(dose.ordinal, dose.on, dose.lot, dose.place) for dose in row.doses] == [
        (1, date(2021, 4, 6), None, None),
        (2, date(2021, 5, 4), None, None),
    ]
    assert {dose.product_code for dose in row.doses} <= set(COVID19.product_by_code)


def test_empty_stays_empty() -> None:
    row = read("A001", "苏木")

    assert row == ParsedRow(7, "A001", "苏木", None, None, None, None, None, None, None, (), None, (), ())


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    row = read("", "", "办公室", "老板", "12345", "1990/13/2", "新官灭活", "2021/4/31", "2029/1/1")

    assert wrong(row) == [
        ("number", "no_number"),
        ("name", "no_name"),
        ("employment", "employment_unknown"),
        ("phone", "phone_wrong"),
        ("born_on", "no_such_month"),
        ("product", row.errors[5].code),
        ("dose1_on", "no_such_day"),
        ("dose2_on", "dose_in_future"),
    ]
    assert row.errors[5].code.startswith("product_unknown")


def test_only_the_cause_is_said_and_not_what_follows_from_it() -> None:
    unread_first = read("A001", "苏木", "", "", "", "", SINOVAC, "四月六日", "2021/5/4")
    unknown_product = read("A001", "苏木", "", "", "", "", "什么苗", "2021/4/6", "2021/5/4")

    assert wrong(unread_first) == [("dose1_on", "date_unreadable")]
    assert unread_first.warnings == ()
    assert len(unknown_product.errors) == 1


def test_a_name_of_a_product_that_was_mistyped_is_answered_with_the_likely_one() -> None:
    (error,) = read("A001", "苏木", "", "", "", "", "北京科星", "2021/4/6").errors

    assert error.code == "product_unknown_suggestion"
    assert error.params["text"] == "北京科星"
    assert error.params["product"] in COVID19.product_by_code
    assert error.params["suggestion"] in sentence(error.code, error.params)


def test_name_and_maker_of_the_vaccine_in_two_columns_are_read_together() -> None:
    row = person(疫苗名称="新冠灭活疫苗（Vero细胞）", 生产企业=SINOVAC, 第一针="2021-04-06")

    assert row.errors == ()
    assert [dose.product_code for dose in row.doses] == [person(疫苗名称=SINOVAC, 第一针="2021-04-06").doses[0].product_code]


def test_each_dose_may_have_its_own_product_lot_and_place() -> None:
    row = person(
        第一针="2021/4/6", 第一针疫苗=SINOVAC, 第一针批号=202104001, 第一针接种单位="东门社区", 第二针="2021/5/6", 第二针疫苗="国药北京"
    )

    assert row.errors == ()
    assert row.doses[0][3:] == ("202104001", "东门社区")
    assert row.doses[0].product_code != row.doses[1].product_code


def test_a_second_dose_before_the_first_is_refused_with_both_dates() -> None:
    (error,) = read("A001", "苏木", "", "", "", "", SINOVAC, "2021/4/23", "2021/4/2").errors

    assert (error.field, error.code) == ("dose2_on", "doses_out_of_order")
    assert error.params == {"first": 1, "second": 2, "first_on": "2021-04-23", "second_on": "2021-04-02"}


@pytest.mark.parametrize(
    ("cells", "error"),
    [
        ({"疫苗名称": SINOVAC, "第一针": "2021/4/6", "第二针": "2021-04-06"}, ("dose2_on", "doses_same_day")),
        ({"第一针": "2021/4/6"}, ("product", "product_missing")),
        ({"第一针疫苗": "", "第一针": "2021/4/6"}, ("dose1_product", "product_missing")),
        ({"第一针疫苗": SINOVAC, "第一针": ""}, ("dose1_on", "dose_date_missing")),
        ({"第二针批号": "202104", "第二针": "", "疫苗": SINOVAC}, ("dose2_on", "dose_date_missing")),
        ({"疫苗": SINOVAC, "第一针": "2012/4/6"}, ("dose1_on", "dose_too_early")),
        ({"疫苗": SINOVAC, "第一针": "2021/4/6", "出生日期": "2021/5/1"}, ("dose1_on", "dose_before_birth")),
        ({"出生日期": "2031/5/1"}, ("born_on", "born_in_future")),
        ({"入职日期": "2021/5/1", "离职日期": "2020/5/1"}, ("left_on", "left_before_joined")),
        ({"疫苗": SINOVAC, "第一针": "2021/4/6", "接种情况": "未接种"}, ("status", "status_contradicts")),
        ({"处室": "=CONCAT(A1,B1)"}, ("department", "formula_cell")),
        ({"处室": "#N/A"}, ("department", "cell_error")),
        ({"出生日期": "#REF!"}, ("born_on", "cell_error")),
        ({"出生日期": "=A1"}, ("born_on", "formula_cell")),
        ({"处室": "办公\x00室"}, ("department", "odd_characters")),
        ({"处室": "办公\ud800室"}, ("department", "odd_characters")),
        ({"处室": "办" * 201}, ("department", "too_long")),
        ({"处室": "11010519491231002X"}, ("department", "number_is_identity")),
        ({"手机": 1.381234567812346e16}, ("phone", "number_lost_digits")),
    ],
)
def test_what_is_wrong_stands_beside_its_field_with_words(cells: dict[str, Cell], error: tuple[str, str]) -> None:
    row = person(**cells)

    assert wrong(row) == [error]
    assert "{" not in sentence(row.errors[0].code, row.errors[0].params)


def test_a_number_that_the_spreadsheet_has_rounded_is_refused_and_not_guessed() -> None:
    assert wrong(read(440101199001011234, "苏木")) == [("number", "number_lost_digits")]
    assert wrong(read(1234567890123456.0, "苏木")) == [("number", "number_lost_digits")]
    assert read(123456789012345, "苏木").number == "123456789012345"


def test_an_identity_number_where_the_staff_number_should_be_is_refused_and_not_repeated() -> None:
    (error,) = read("11010519491231002X", "苏木").errors

    assert (error.field, error.code, error.params) == ("number", "number_is_identity", {})


def test_an_identity_number_in_a_date_column_is_not_repeated_in_the_report() -> None:
    (error,) = person(出生日期="11010519491231002X").errors

    assert "1949" not in sentence(error.code, error.params)


@given(some.text("0123456789", min_size=1, max_size=14))
def test_leading_zeros_of_a_text_stay(number: str) -> None:
    assert read(number, "苏木").number == number


@given(some.integers(0, 10**15 - 1))
def test_a_whole_number_is_its_digits(number: int) -> None:
    assert read(number, "苏木").number == read(float(number), "苏木").number == str(number)


WRITINGS = [
    "{y}/{m}/{d}",
    "{y}-{m}-{d}",
    "{y}.{m}.{d}",
    "{y}年{m}月{d}日",
    "{y}{m:02}{d:02}",
    "{y}-{m:02}-{d:02}",
    "{y}/{m}/{d} 08:30:00",
    "{y} 年 {m} 月 {d} 日",
]


@given(some.dates(date(1920, 1, 2), date(2099, 12, 31)), some.sampled_from(WRITINGS))
def test_a_date_survives_every_writing_that_begins_with_the_year(on: date, writing: str) -> None:
    assert read_date(writing.format(y=on.year, m=on.month, d=on.day)) == on


@given(some.dates(date(1920, 1, 2), date(2099, 12, 31)), some.floats(0, 0.99))
def test_a_date_survives_as_a_spreadsheets_day_number(on: date, part_of_day: float) -> None:
    serial = (on - date(1899, 12, 30)).days

    assert read_date(serial) == read_date(serial + part_of_day) == on
    assert read_date(int(on.strftime("%Y%m%d"))) == on


@given(some.dates(date(1920, 1, 2), date(2099, 12, 31)), some.booleans())
def test_day_and_month_are_never_guessed(on: date, day_first: bool) -> None:
    text = f"{on.day}/{on.month}/{on.year}" if day_first else f"{on.month}/{on.day}/{on.year}"

    found = read_date(text)

    if on.day > 12 or on.day == on.month:
        assert found == on
    else:
        assert found == Reason("date_ambiguous", {"text": text})


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2021/13/2", "no_such_month"),
        ("2021/2/29", "no_such_day"),
        ("20210230", "no_such_day"),
        ("21/3/12", "date_no_year"),
        ("3月12日", "date_no_year"),
        ("2021年3月", "date_no_year"),
        ("待定", "date_unreadable"),
        ("44267", "date_unreadable"),
        (1, "date_unreadable"),
        (2021, "date_unreadable"),
        (2021.3, "date_unreadable"),
        (1e300, "date_unreadable"),
        (-5, "date_unreadable"),
        ("1821-03-12", "date_impossible"),
        ("0000-00-00", "no_such_month"),
    ],
)
def test_a_date_that_cannot_be_read_says_why(cell: Cell, code: str) -> None:
    found = read_date(cell)

    assert isinstance(found, Reason)
    assert found.code == code
    assert sentence(found.code, found.params)


def test_no_13th_month_is_told_in_these_words() -> None:
    found = read_date("2021/13/2")

    assert isinstance(found, Reason)
    assert sentence(found.code, found.params) == "The date says 2021/13/2; there is no month 13."


def test_dates_with_named_months_and_dashes_for_nothing_are_read() -> None:
    assert read_date("12 Mar 2021") == read_date("March 12, 2021") == read_date("12-March-2021") == date(2021, 3, 12)
    assert read_date("２０２１／３／１２") == date(2021, 3, 12)
    assert read_date("/") is read_date("无") is read_date("  ") is None


def test_chinese_mobiles_foreign_and_fixed_phones_become_one_writing() -> None:
    assert read_phone("138-0013-8000") == read_phone("+86 138 0013 8000") == read_phone("１３８００１３８０００") == "+8613800138000"
    assert read_phone("0571-88886666") == "+8657188886666"
    assert read_phone("+49 30 901820") == "+4930901820"
    assert read_phone("12345678901") is read_phone("办公室") is read_phone("") is None


@given(some.from_regex(CHINESE_MOBILE, fullmatch=True).filter(str.isascii))
def test_what_goes_without_the_library_is_what_the_library_says(number: str) -> None:
    parsed = phonenumbers.parse(number, "CN")

    assert phonenumbers.is_valid_number(parsed)
    assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == read_phone(number)


def test_kinds_of_employment_are_read_in_both_languages() -> None:
    assert [read_employment(text) for text in ("在编", "劳务派遣", "合同制", "学员", "志愿者", "Agency", "permanent", "老板")] == [
        "permanent", "agency", "contract", "trainee", "volunteer", "agency", "permanent", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "statement", "warning"),
    [
        ("未接种", "not_started", None),
        ("否", "not_started", None),
        ("拒绝接种", "declined", None),
        ("Declined", "declined", None),
        ("外地接种", "elsewhere", None),
        ("已接种", None, "status_without_dose"),
        ("有禁忌症", None, "exemption_not_imported"),
        ("下周再说", None, "status_not_read"),
        ("-", None, None),
    ],
)
def test_a_status_is_a_statement_or_a_warning_and_never_an_invented_dose(text: str, statement: str | None, warning: str | None) -> None:
    row = person(接种情况=text)

    assert row.statement == statement
    assert row.doses == ()
    assert row.errors == ()
    assert [r.code for r in row.warnings] == ([warning] if warning else [])


def test_whoever_declined_after_a_dose_keeps_the_dose() -> None:
    row = person(疫苗=SINOVAC, 第一针="2021/4/6", 接种情况="拒绝")

    assert row.statement == "declined"
    assert len(row.doses) == 1
    assert row.errors == ()


def test_a_second_dose_without_a_first_is_taken_as_it_stands_with_a_warning() -> None:
    row = read("A001", "苏木", "", "", "", "", SINOVAC, "", "2021/5/4")

    assert [(dose.ordinal, dose.on) for dose in row.doses] == [(2, date(2021, 5, 4))]
    assert [(r.code, r.params) for r in row.warnings] == [("earlier_dose_missing", {"ordinal": 1})]


def test_a_vaccine_without_a_date_is_no_dose() -> None:
    row = read("A001", "苏木", "", "", "", "", SINOVAC)

    assert row.doses == ()
    assert [r.code for r in row.warnings] == ["product_without_dose"]


def test_blanks_that_widen_a_short_chinese_name_go_and_those_of_other_names_stay() -> None:
    assert read("1", "苏　　木").name == "苏木"
    assert read("1", " Su  Mu ").name == "Su Mu"
    assert read("1", "A\u200b001\ufeff").name == "A001"


def test_the_guard_of_our_own_exports_comes_off_again() -> None:
    assert read("'-001", "苏木").number == "-001"
    assert read("'001", "苏木").number == "'001"


@given(some.text(max_size=60))
def test_cleaned_text_can_be_kept(text: str) -> None:
    found = clean(text)

    if found is None:
        assert any(mark < " " or "\x7f" <= mark <= "\x9f" or "\ud800" <= mark <= "\udfff" for mark in text)
    else:
        found.encode()
        assert found == found.strip() == clean(found)
        assert "\x00" not in found
        assert "\n" not in found


def test_of_rows_with_the_same_number_all_but_the_first_are_refused_with_the_row_of_the_first() -> None:
    rows: list[list[Cell]] = [["名册"], ["工号", "姓名"], ["A1", "苏木"], [], ["A2", "甘棠"], ["A1", "苏木"], ["A1", "时清远"]]

    parsed = parse_rows(rows, 1, map_columns(["工号", "姓名"]), today=TODAY)

    assert [(row.row_no, wrong(row)) for row in parsed] == [
        (3, []),
        (5, []),
        (6, [("number", "twice_in_file")]),
        (7, [("number", "twice_in_file")]),
    ]
    assert [dict(row.errors[0].params) for row in parsed[2:]] == [{"row": 3}, {"row": 3}]


CELLS = some.one_of(
    some.text(max_size=20),
    some.sampled_from(["A1", "苏木", SINOVAC, "2021/4/6", "2021/5/6", "未接种", "在编", "13800138000", "=1", "#N/A", ""]),
    some.integers(-(10**20), 10**20),
    some.floats(allow_nan=False, allow_infinity=False),
)


@given(some.lists(some.lists(CELLS, max_size=13), max_size=20))
def test_whatever_stands_in_a_file_every_row_is_told_once_and_each_error_has_words(body: list[list[Cell]]) -> None:
    rows: list[list[Cell]] = [list(HEADINGS), *body]
    columns: list[Column] = map_columns(HEADINGS)

    parsed = parse_rows(rows, 0, columns, today=TODAY)

    assert [row.row_no for row in parsed] == [i for i, row in enumerate(rows, 1) if i > 1 and any(cell != "" for cell in row)]
    for row in parsed:
        assert row.errors or (row.number and row.name)
        for said in (*(Reason(error.code, error.params) for error in row.errors), *row.warnings):
            assert sentence(said.code, said.params)
            assert said.code in SENTENCES
        if not row.errors:
            assert all(dose.product_code in COVID19.product_by_code and dose.on <= TODAY for dose in row.doses)
            assert sorted({dose.on for dose in row.doses}) == [dose.on for dose in row.doses]


@given(some.dates(date(2020, 12, 1), date(2021, 6, 1)), some.integers(1, 60))
def test_what_was_written_is_what_is_read(first: date, days: int) -> None:
    second = first + timedelta(days=days)
    assume(second <= TODAY)

    row = read("A001", "苏木", "", "", "", "", SINOVAC, f"{first:%Y/%m/%d}", f"{second:%Y年%m月%d日}")

    assert [dose.on for dose in row.doses] == [first, second]
    assert row.errors == ()


def test_a_status_word_is_known_in_both_languages() -> None:
    assert {read_status(text) for text in ("not vaccinated", "Unvaccinated", "No", "没打")} == {"not_started"}
    assert {read_status(text) for text in ("Fully vaccinated", "已打两针", "全程接种")} == {"done"}


def test_a_number_that_a_text_file_holds_as_the_screen_showed_it_is_refused() -> None:
    assert wrong(read("4.40101E+17", "苏木")) == [("number", "number_lost_digits")]
    assert wrong(person(手机="1.38001E+10")) == [("phone", "number_lost_digits")]
    assert read("1E5", "苏木").number == "1E5"


def test_headings_repeated_on_every_page_and_sums_never_become_people() -> None:
    assert wrong(read(*HEADINGS)) == [("number", "heading_again")]
    assert wrong(read("合计", "120人", "9")) == [("number", "sum_row")]
    assert wrong(read("9", "合 计")) == [("name", "sum_row")]
    assert wrong(read("", "", "总计：", "9")) == [("number", "sum_row")]
    assert wrong(read("", "", "填表说明：请如实填写")) == [("number", "note_row")]
    assert wrong(read("9", "120")) == [("name", "name_wrong")]


def test_an_answer_in_the_column_of_a_date_is_an_answer() -> None:
    not_yet, declined, second_open = (
        read("A001", "苏木", "", "", "", "", "", "未接种"),
        read("A001", "苏木", "", "", "", "", "", "拒绝"),
        read("A001", "苏木", "", "", "", "", SINOVAC, "2021/4/6", "未接种"),
    )

    assert [row.errors for row in (not_yet, declined, second_open)] == [(), (), ()]
    assert [row.statement for row in (not_yet, declined, second_open)] == ["not_started", "declined", None]
    assert len(second_open.doses) == 1


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (" a.b+c@Example.ORG ", "a.b+c@example.org"),
        ("ａ@example.org", "a@example.org"),
        ("O'Neil@mail.example.org", "O'Neil@mail.example.org"),
    ],
)
def test_an_address_is_read_as_mail_takes_it(text: str, read: str) -> None:
    assert read_email(text) == read


@pytest.mark.parametrize(
    ("field", "wish"),
    [("number", NewPerson), ("name", NewPerson), ("email", NewPerson), ("product", NewDose), ("lot", NewDose), ("place", NewDose)],
)
def test_a_list_and_the_api_take_text_of_one_length(field: str, wish: type[Body]) -> None:
    """What came in by a list can be saved again by hand."""
    asked = wish.model_json_schema()["properties"][field]
    text = next((one for one in asked.get("anyOf", ()) if one["type"] == "string"), asked)

    assert text["maxLength"] == LIMITS[field]
