"""Every kind of file a personnel office has, and every kind of file that would do harm."""

import datetime
import io
import struct
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import openpyxl
import psutil
import pytest
import xlsxwriter
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from services.personnel import workbooks
from services.personnel.rules.columns import find_heading_row, map_columns
from services.personnel.rules.rows import parse_rows
from services.personnel.rules.words import sentence
from services.personnel.workbooks import Sheet, read_sheet
from shared.refusals import Refused

HEADINGS = ["工号", "姓名", "第一针"]
PERSON = ["0012", "苏木", "2021/4/6"]
LIST = [HEADINGS, PERSON]


def read(data: bytes, name: str = "名册.xlsx", **wish: Any) -> Sheet:
    return read_sheet(data, name, **wish)


def refusal(data: bytes, name: str = "名册.xlsx", **wish: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        read(data, name, **wish)
    assert caught.value.status == 422
    assert sentence(caught.value.code, caught.value.params)
    return caught.value


def outcome(data: bytes) -> Any:
    """The rows, or the code of the refusal."""
    try:
        return read(data).rows
    except Refused as refused:
        return refused.code


def with_shared_texts() -> bytes:
    """The list as spreadsheet programs write it: each text once, in a document of its own."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("名册")
        for i, row in enumerate(LIST):
            sheet.write_row(i, 0, row)
    return file.getvalue()


def xlsx(*rows: list[Any], change: Callable[[Any], None] | None = None, **more: list[list[Any]]) -> bytes:
    book: Any = openpyxl.Workbook()
    book.active.title = "名册"
    for row in rows:
        book.active.append(row)
    for name, content in more.items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
    if change:
        change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def zipped(**members: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return file.getvalue()


def rezipped(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return zipped(**{name: change(name, packed.read(name)) for name in packed.namelist()})


def ods(*rows: list[str], manifest: str = "") -> bytes:
    def cell(text: str) -> str:
        if text.startswith("date:"):
            return f'<table:table-cell office:value-type="date" office:date-value="{text[5:]}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'

    body = "".join("<table:table-row>" + "".join(map(cell, row)) + "</table:table-row>" for row in rows)
    names = " ".join(f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"' for short in ("office", "table", "text"))
    content = (
        f'<?xml version="1.0"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="名册">{body}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    listed = f'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">{manifest}</manifest:manifest>'
    return zipped(**{"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "META-INF/manifest.xml": listed, "content.xml": content})


def xls(*rows: Sequence[str | float], protected: bool = False) -> bytes:
    """The smallest workbook of the nineties: BIFF8 records in a compound file of one stream."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def text(value: str) -> bytes:
        return struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")

    password = record(0x2F, struct.pack("<HHH", 1, 1, 1) + bytes(48)) if protected else b""
    begin = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 6)) + password
    name = "Sheet1".encode("utf-16-le")
    end = record(0x0A, b"")
    where = len(begin) + 4 + 8 + len(name) + len(end)
    book = begin + record(0x85, struct.pack("<IHBB", where, 0, 6, 1) + name) + end
    book += record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 6))
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            place = struct.pack("<HHH", r, c, 0)
            book += record(0x204, place + text(value)) if isinstance(value, str) else record(0x203, place + struct.pack("<d", value))
    book += end
    book += bytes(max(4096 - len(book), -len(book) % 512))
    count = len(book) // 512
    table = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 2 + count), 0xFFFFFFFE]
    fat = struct.pack(f"<{len(table)}I", *table).ljust(512, b"\xff")

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        coded = name.encode("utf-16-le")
        return (
            coded.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(coded) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
            + bytes(36)
            + struct.pack("<IQ", start, size)
        )

    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 2, len(book)) + bytes(256)
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0)
    return header.ljust(512, b"\xff") + fat + folder + book


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("xlsx", xlsx(*LIST)),
        ("xls", xls(*LIST)),
        ("ods", ods(*LIST)),
        ("csv", "工号,姓名,第一针\r\n0012,苏木,2021/4/6\r\n".encode()),
    ],
)
@pytest.mark.parametrize("name", ["名册.xlsx", "名册.csv", "../../etc/passwd", ""])
def test_the_same_list_in_any_kind_of_file_under_any_name_is_the_same_rows(kind: str, data: bytes, name: str) -> None:
    sheet = read(data, name)

    assert (sheet.kind, sheet.rows) == (kind, LIST)


def test_cells_keep_what_was_typed() -> None:
    moment, day = datetime.datetime(2021, 3, 12, 8, 30), datetime.date(2021, 3, 12)
    typed = ["007", 5, 5.5, 44267, day, moment, True, " ", "=x", None, "a\nb", "13800138000", 13800138000]

    def as_text(book: Any) -> None:
        book.active["I2"].data_type = "s"

    assert read(xlsx(HEADINGS, typed, change=as_text)).rows[1] == [
        "007", 5, 5.5, 44267, "2021-03-12", "2021-03-12 08:30:00", "TRUE", "", "=x", "", "a\nb", "13800138000", 13800138000,
    ]  # fmt: skip
    assert read(xls(HEADINGS, ["007", 5.0, 5.5])).rows[1] == ["007", 5, 5.5]
    assert read(ods(HEADINGS, ["007", "date:2021-03-12"])).rows[1] == ["007", "2021-03-12"]


def test_dates_of_a_macintosh_workbook_are_the_same_days() -> None:
    def macintosh(book: Any) -> None:
        book.epoch = CALENDAR_MAC_1904
        book.active["C2"] = datetime.date(2021, 4, 6)

    assert read(xlsx(*LIST, change=macintosh)).rows[1][2] == "2021-04-06"


def test_rows_keep_their_numbers_below_titles_blank_rows_and_hidden_rows() -> None:
    def hide(book: Any) -> None:
        book.active.merge_cells("A1:C1")
        book.active.row_dimensions[5].hidden = True

    sheet = read(xlsx([], ["接种统计表"], [], HEADINGS, ["A1", "苏木"], [], ["A2", "甘棠"], [" "], change=hide))

    assert sheet.rows == [[], ["接种统计表"], [], HEADINGS, ["A1", "苏木"], [], ["A2", "甘棠"]]
    assert find_heading_row(sheet.rows) == 3


def test_the_list_may_begin_in_any_column() -> None:
    sheet = read(xlsx([None, None, *HEADINGS], [None, None, *PERSON]))

    assert sheet.rows == [["", "", *HEADINGS], ["", "", *PERSON]]


def test_of_several_sheets_the_staff_list_is_taken_and_the_others_are_told() -> None:
    data = xlsx(["说明"], ["请填写"], 目录=[["a", "b"]] * 20, 名单=LIST, 空=[])

    assert (read(data).name, read(data).rows) == ("名单", LIST)
    assert read(data).other_names == ("名册", "目录", "空")
    assert read(data, sheet_name="目录").rows == [["a", "b"]] * 20
    assert refusal(data, sheet_name="没有").code == "no_such_sheet"


def test_a_hidden_sheet_is_not_taken_while_a_visible_one_is_there() -> None:
    def hide(book: Any) -> None:
        book["旧"].sheet_state = "hidden"

    assert read(xlsx(["a", "b"], 旧=LIST, change=hide)).rows == [["a", "b"]]


def test_a_formula_that_failed_or_was_never_computed_is_shown_and_not_taken_for_empty() -> None:
    def formulas(book: Any) -> None:
        book.active["C2"] = "=TODAY()"
        book.active["C3"] = "#N/A"
        book.active["C3"].data_type = "e"
        book.active["E4"] = "=A1&B1"

    sheet = read(xlsx(HEADINGS, PERSON, PERSON, change=formulas))

    assert [row[2:] for row in sheet.rows[1:]] == [["=TODAY()"], ["#N/A"], ["", "", "=A1&B1"]]


def test_a_formula_that_was_computed_is_its_value() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_formula(1, 0, '="00"&"12"', None, "0012")
        sheet.write_formula(1, 1, "=1+1", None, 2)

    assert read(file.getvalue()).rows[1] == ["0012", 2]


def test_leading_zeros_that_only_the_format_shows_are_kept() -> None:
    def padded(book: Any) -> None:
        for cell, value in (("A2", 12), ("A3", 123456), ("A4", 7.5)):
            book.active[cell] = value
            book.active[cell].number_format = "00000"

    assert [row[0] for row in read(xlsx(HEADINGS, [], [], [0, 12], change=padded)).rows[1:]] == ["00012", 123456, 7.5]


def test_other_sheets_that_look_like_staff_lists_are_told_apart() -> None:
    data = xlsx(*LIST, PERSON, 教务处=LIST, 说明=[["请按处室填写"]])

    assert (read(data).name, read(data).other_lists, read(data).other_names) == ("名册", ("教务处",), ("教务处", "说明"))


def test_an_open_document_that_repeats_a_cell_to_the_edge_meets_the_limits() -> None:
    def repeated(times: int, cell: str) -> bytes:
        cells = f'<table:table-cell table:number-columns-repeated="{times}"{cell}</table:table-cell>'
        row = f'<table:table-row table:number-rows-repeated="{times}">{cells}</table:table-row></table:table>'
        return rezipped(ods(*LIST), lambda name, content: content.replace(b"</table:table>", row.encode()))

    assert outcome(repeated(60_000, ' office:value-type="string"><text:p>x</text:p>')) == "damaged"
    assert outcome(repeated(1_000, ' office:value-type="string"><text:p>x</text:p>')) == "too_many_columns"
    assert outcome(repeated(16_384, ">")) == LIST


TEXT = "工号,姓名,第一针\n0012,苏木,2021/4/6\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + TEXT.encode(), "utf-8"),
        (TEXT.encode("gb18030"), "gb18030"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.replace(",", ";").encode(), "utf-8"),
        (TEXT.replace(",", "\t").encode("gb18030"), "gb18030"),
        (TEXT.replace("\n", "\r").encode(), "utf-8"),
        (TEXT.replace("\n", "\r\n").encode() + b"\r\n\r\n,,\r\n", "utf-8"),
    ],
)
def test_a_text_file_is_read_in_its_own_encoding_and_with_its_own_delimiter(data: bytes, encoding: str) -> None:
    sheet = read(data, "名册.csv")

    assert (sheet.rows, sheet.encoding, sheet.name) == (LIST, encoding, "名册")


def test_an_encoding_that_a_person_chose_is_taken_or_refused() -> None:
    assert read("工號,姓名\n1,蘇木\n".encode("big5"), encoding="big5").rows == [["工號", "姓名"], ["1", "蘇木"]]
    assert refusal(b"\xff\xff\xff,\xff", encoding="utf-8").code == "wrong_encoding"
    assert refusal(TEXT.encode(), encoding="rot13").code == "wrong_encoding"


def test_commas_quotes_and_line_breaks_inside_quotes_are_text() -> None:
    assert read('工号,姓名,地点\n1,"苏,木","东\n""门"""\n2,甘棠,\n'.encode()).rows == [
        ["工号", "姓名", "地点"],
        ["1", "苏,木", '东\n"门"'],
        ["2", "甘棠"],
    ]


def test_a_line_that_names_the_delimiter_counts_as_a_row() -> None:
    assert read("sep=|\n工号|姓名\n1|苏木\n".encode()).rows == [["sep="], ["工号", "姓名"], ["1", "苏木"]]


@pytest.mark.parametrize(
    "text", ['工号,姓名\n1,苏木\n2,"甘棠\n3,时清远\n', '工号,姓名\n1,苏木\n2,"甘"棠\n', '工号,姓名\n1,苏木\n2,"' + "x" * 200_000]
)
def test_a_quotation_mark_that_is_not_closed_is_told_with_its_row(text: str) -> None:
    refused = refusal(text.encode())

    assert (refused.code, refused.params) == ("quotes_wrong", {"row": 3})


def test_a_single_nul_is_left_to_the_row_it_stands_in() -> None:
    sheet = read(TEXT.encode() + b"13,\x00,\n" + b"1,x\n" * 100)
    heading_row = find_heading_row(sheet.rows)
    assert heading_row == 0

    parsed = parse_rows(sheet.rows, 0, map_columns(HEADINGS), today=datetime.date(2021, 8, 4))

    assert parsed[1].errors[0].code == "odd_characters"


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("empty_sheet", b""),
        ("empty_sheet", b"\r\n ,,;\t\r\n"),
        ("empty_sheet", bytes(1000)),
        ("empty_sheet", xlsx()),
        ("empty_sheet", xlsx([" "])),
        ("not_a_sheet", b"%PDF-1.7\n" + b"x" * 5000),
        ("not_a_sheet", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20),
        ("not_a_sheet", zipped(**{"word/document.xml": "<w/>"})),
        ("not_a_sheet", b"\x1f\x8b\x08\x00\x00\x00\x00\x00" + bytes(range(32)) * 100),
        ("web_page", b"<html><body><table><tr><td>1</td></tr></table></body></html>"),
        ("web_page", b'\xef\xbb\xbf  <?xml version="1.0"?><Workbook/>'),
        ("damaged", xlsx(*LIST)[:2000]),
        ("damaged", b"PK\x03\x04" + b"x" * 100),
        ("damaged", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)),
        ("damaged", xls(*LIST)[:1800]),
        ("damaged", rezipped(xlsx(*LIST), lambda name, content: content[:100] if name.endswith("sheet1.xml") else content)),
        ("damaged", rezipped(xlsx(*LIST), lambda name, content: b"" if name == "xl/workbook.xml" else content)),
        ("encrypted", xls(*LIST, protected=True)),
        ("encrypted", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)),
        ("encrypted", ods(*LIST, manifest='<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>')),
        ("too_large", bytes(workbooks.MOST_BYTES + 1)),
        ("too_large", zipped(**{"xl/workbook.xml": "<x/>", "xl/worksheets/sheet1.xml": bytes(101_000_000)})),
        ("too_many_rows", b"a,b\n" * 60_001),
        ("too_many_columns", b"," .join([b"x"] * 201)),
    ],
)  # fmt: skip
def test_what_is_no_staff_list_is_refused_with_the_reason(code: str, data: bytes) -> None:
    assert refusal(data).code == code


@pytest.mark.parametrize(("cell", "code"), [("XFD1048576", "too_large"), ("A1048576", "too_many_rows"), ("XFD1", "too_many_columns")])
def test_a_stray_cell_at_the_far_corner_ends_the_child_and_not_the_service(cell: str, code: str) -> None:
    def far(book: Any) -> None:
        book.active[cell] = "x"

    assert refusal(xlsx(*LIST, change=far)).code == code


def test_a_file_that_unpacks_to_more_than_it_says_meets_the_limits() -> None:
    def swollen(name: str, content: bytes) -> bytes:
        return content.replace(b"<sheetData>", b"<sheetData>" + b" " * 90_000_000) if name.endswith("sheet1.xml") else content

    data = rezipped(xlsx(*LIST), swollen)
    size = struct.pack("<I", zipfile.ZipFile(io.BytesIO(data)).getinfo("xl/worksheets/sheet1.xml").file_size)
    lying = data.replace(size, struct.pack("<I", 5000))

    assert outcome(lying) in (LIST, "damaged", "too_large", "took_too_long")


def test_shared_texts_that_swell_meet_the_limits() -> None:
    big = b"<si><t>" + b"x" * 30_000 + b"</t></si>"
    strings = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">' + big * 3000 + b"</sst>"

    data = rezipped(with_shared_texts(), lambda name, content: strings if name == "xl/sharedStrings.xml" else content)

    assert outcome(data)[0][0] == "x" * 30_000


@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY e SYSTEM "file:///etc/hostname">',
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY e "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY e "&e;">',
    ],
)
def test_entities_of_a_document_are_never_resolved(entity: str) -> None:
    def planted(name: str, content: bytes) -> bytes:
        if name == "xl/sharedStrings.xml":
            return f"<!DOCTYPE sst [{entity}]>".encode() + content.replace("苏木".encode(), b"[&e;]")
        if name == "xl/workbook.xml":
            return f"<!DOCTYPE workbook [{entity}]>".encode() + content
        return content

    found = outcome(rezipped(with_shared_texts(), planted))

    assert found == "damaged" or found[1][1] in ("[&e;]", "[]")


def test_reading_that_takes_too_long_is_ended_and_leaves_no_child_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_SECONDS", 0.001)
    before = psutil.Process().children()

    assert refusal(xlsx(*LIST)).code == "took_too_long"
    assert psutil.Process().children() == before


def test_the_child_knows_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []
    start = subprocess.run

    def watched(*words: Any, **options: Any) -> Any:
        seen.append(options["env"])
        return start(*words, **options)

    monkeypatch.setenv("DATABASE_URL", "postgresql://personnel:secret@localhost/muster")
    monkeypatch.setattr(subprocess, "run", watched)

    assert read(xlsx(*LIST)).rows == LIST
    assert all("secret" not in value for value in seen[0].values())
