"""How the headings of a staff list are understood, and what happens to columns that are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.personnel.rules.columns import (
    Cell,
    Column,
    data_rows,
    drop_identity_numbers,
    find_heading_row,
    headings_at,
    map_columns,
    text_of,
)
from services.personnel.rules.headings import FIELDS
from services.personnel.rules.identity_numbers import is_identity_number
from services.personnel.rules.words import SENTENCES

A_NUMBER = "11010519491231002X"  # the example that stands in the standard itself


def fields(*headings: str) -> list[str | None]:
    return [column.field for column in map_columns(headings)]


def notes(*headings: str) -> list[str | None]:
    return [column.note for column in map_columns(headings)]


def with_check_character(first: str) -> str:
    return next(first + last for last in "0123456789X" if is_identity_number(first + last))


def test_chinese_headings_in_any_order_are_understood() -> None:
    assert fields(
        "第二针日期", "姓名", "所在处室", "工号", "手机号码", "用工性质", "第一针日期", "出生日期", "疫苗名称", "接种单位", "接种情况"
    ) == [
        "dose2_on",
        "name",
        "department",
        "number",
        "phone",
        "employment",
        "dose1_on",
        "born_on",
        "product",
        "place",
        "status",
    ]


def test_english_headings_in_any_order_are_understood() -> None:
    assert fields(
        "Second dose date", "Staff Number", "Full name", "Dept.", "Dose 1 date", "1st Dose Lot No.", "Date of Birth", "Mobile", "Vaccine"
    ) == [
        "dose2_on",
        "number",
        "name",
        "department",
        "dose1_on",
        "dose1_lot",
        "born_on",
        "phone",
        "product",
    ]


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("第一针", "dose1_on"),
        ("第1剂接种日期", "dose1_on"),
        ("第１剂次 接种时间（年/月/日）", "dose1_on"),
        ("接种日期（第二针）", "dose2_on"),
        ("第三剂疫苗批号", "dose3_lot"),
        ("新冠疫苗第二剂接种时间", "dose2_on"),
        ("第二针疫苗生产企业", "dose2_maker"),
        ("首针", "dose1_on"),
        ("首剂接种时间", "dose1_on"),
        ("1针疫苗名称", "dose1_product"),
        ("第2针接种单位", "dose2_place"),
        ("dose_3_on", "dose3_on"),
        ("Date of first dose", "dose1_on"),
        ("手机号码（必填）", "phone"),
        ("姓 名", "name"),
        ("＊姓名：", "name"),
        ("1、您的姓名", "name"),
        ("紧急联系人手机号", None),
        ("离职日期", "left_on"),
        ("入职时间", "joined_on"),
        ("学号", "number"),
        ("学院", "department"),
        ("编制", "employment"),
        ("身份证号码", "identity_number"),
        ("ID card number", "identity_number"),
        ("备注", None),
        ("序号", None),
        ("2021年全院教职工及学员新冠病毒疫苗接种情况统计表（第一针、第二针）", None),
    ],
)
def test_a_heading_means_one_field(heading: str, field: str | None) -> None:
    assert fields(heading) == [field]


def test_every_field_is_understood_by_its_own_english_name() -> None:
    named = {name: field for field, name in FIELDS.items() if "all doses" not in name and "never" not in name}

    assert fields(*named) == list(named.values())


def test_of_two_headings_for_one_field_the_later_is_left_out_and_says_so() -> None:
    first, second = map_columns(["电话", "手机号"])

    assert (first.field, first.note) == ("phone", None)
    assert (second.field, second.note) == (None, "second_of_field")


def test_a_date_column_that_does_not_say_which_dose_is_asked_about() -> None:
    assert notes("姓名", "接种日期", "第四针日期") == [None, "which_dose", "dose_beyond_third"]


def test_title_rows_notes_and_blank_rows_above_the_headings_are_passed_over() -> None:
    rows: list[list[Cell]] = [
        ["澜江学院人员疫苗接种情况统计表"],
        [],
        ["填报单位：办公室", "", "填报日期：2021年8月4日"],
        ["序号", "工号", "姓名", "第一针"],
        [1, "A001", "苏木", "2021/4/6"],
    ]

    assert find_heading_row(rows) == 3


def test_a_list_without_headings_has_no_heading_row() -> None:
    assert find_heading_row([["A001", "苏木", "2021/4/6"], ["A002", "甘棠", ""]]) is None
    assert find_heading_row([]) is None
    assert find_heading_row([["姓名"]]) is None


def test_headings_in_two_rows_are_read_together() -> None:
    rows: list[list[Cell]] = [
        ["接种统计表"],
        ["工号", "姓名", "第一针", "", "", "第二针", "", "", "备注"],
        ["", "", "接种日期", "疫苗名称", "批号", "接种日期", "疫苗名称", "批号"],
        ["A001", "苏木", "2021/4/6", "科兴", "2021040001"],
    ]

    row = find_heading_row(rows)

    assert row == 2
    assert [c.field for c in map_columns(headings_at(rows, row))] == [
        "number",
        "name",
        "dose1_on",
        "dose1_product",
        "dose1_lot",
        "dose2_on",
        "dose2_product",
        "dose2_lot",
        None,
    ]


def test_what_a_person_chose_goes_before_what_was_recognised() -> None:
    columns = map_columns(["班次", "处室", "备注", "接种日期"], chosen={0: "department", 3: "dose1_on", 2: None})

    assert [(c.field, c.note) for c in columns] == [
        ("department", "chosen"),
        (None, "second_of_field"),
        (None, "chosen"),
        ("dose1_on", "chosen"),
    ]


def test_identity_numbers_are_recognised_by_heading_and_never_shown() -> None:
    (column,) = map_columns(["身份证号"], [[A_NUMBER]])

    assert column == Column(0, "身份证号", "identity_number", "identity_number_dropped", "")


@pytest.mark.parametrize(
    "cells", [[A_NUMBER, "", A_NUMBER.lower()], [with_check_character("44010119900101123"), "没带"], ["110105491231002"]]
)
def test_identity_numbers_are_recognised_by_content_whatever_the_heading_says(cells: list[Cell]) -> None:
    (column,) = map_columns(["编号"], [[cell] for cell in cells])

    assert (column.field, column.note, column.sample) == ("identity_number", "identity_by_content", "")


def test_identity_numbers_typed_as_rounded_numbers_are_recognised_too() -> None:
    (column,) = map_columns(["编号"], [[440101199001011200]])

    assert column.field == "identity_number"


def test_nobody_can_choose_to_keep_identity_numbers() -> None:
    by_heading, by_content = map_columns(["身份证号", "编号"], [["", A_NUMBER]], chosen={0: "number", 1: "number"})

    assert by_heading.field == by_content.field == "identity_number"


def test_identity_numbers_are_emptied_before_anything_is_kept_and_counted() -> None:
    rows: list[list[Cell]] = [["工号", "身份证"], ["A1", A_NUMBER], ["A2"], ["A3", A_NUMBER]]

    dropped = drop_identity_numbers(rows, map_columns(["工号", "身份证"]), 0)

    assert dropped == 2
    assert rows == [["工号", "身份证"], ["A1", ""], ["A2"], ["A3", ""]]


@given(some.from_regex(r"[1-8][0-9]{16}[0-9X]", fullmatch=True))
def test_a_changed_digit_is_no_identity_number_any_more(text: str) -> None:
    for last in "0123456789X":
        if last != text[17]:
            assert not (is_identity_number(text) and is_identity_number(text[:17] + last))


def test_staff_numbers_and_phones_are_no_identity_numbers() -> None:
    assert not any(map(is_identity_number, ["A001", "13812345678", "202104001", "123456789012345678", "999999999999999", ""]))


@given(some.lists(some.lists(some.sampled_from(["", "x", 5]), max_size=4), max_size=30))
def test_every_row_below_the_headings_in_which_anything_stands_is_counted_once_with_its_number_in_the_file(rows: list[list[Cell]]) -> None:
    rows = [["工号", "姓名"], *rows]

    told = list(data_rows(rows, 0))

    assert [no for no, _ in told] == [i + 1 for i, row in enumerate(rows) if i and any(cell != "" for cell in row)]
    assert all(rows[no - 1] is cells for no, cells in told)


@given(some.text(max_size=80))
def test_no_heading_breaks_the_reading_and_each_note_has_words(heading: str) -> None:
    for column in map_columns([heading], [["x"]]):
        assert column.field is None or column.field in FIELDS
        assert column.note is None or column.note in SENTENCES


def test_numbers_are_read_aloud_as_a_person_would() -> None:
    assert [text_of(cell) for cell in (5, 5.0, 0.5, 2021.3, 1e20, "007")] == ["5", "5", "0.5", "2021.3", "100000000000000000000", "007"]
