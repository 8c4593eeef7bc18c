"""How a file of a staff list is read: which sheet, which columns, which encoding; and the file of refused rows that goes back."""

import io

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import select

from services.personnel.importing.cells import unpack
from services.personnel.tables import Import, ImportSheet
from shared.events import RecordLooked
from tests.doors import Door
from tests.people import HEALTH, LOGISTICS
from tests.services.institution import settle
from tests.services.lists import HEADINGS, IDENTITY, NEW, cells_of, commit, everything, rows_of, sheet, shown, upload


@pytest.fixture(autouse=True)
async def _settled(personnel: Door) -> None:
    await settle(personnel)


async def test_a_list_without_headings_is_asked_about(personnel: Door) -> None:
    found = await upload(personnel, sheet(NEW, headings=["一", "二", "三"], title=""), "名册.xlsx")

    assert (found["state"], found["problem"]["code"], found["counts"]["rows"]) == ("ready", "no_heading_row", 0)
    assert (await personnel.get("/imports", HEALTH)).json()["items"][0]["problem"] == found["problem"]
    assert found["first_rows"][2]["cells"][:2] == ["20210801", "简一诺"]
    assert (await personnel.post(f"/imports/{found['id']}/commit", None, HEALTH)).status_code == 409

    fields = {"0": "number", "1": "name", "2": "department", "3": "employment"}
    await personnel.put(f"/imports/{found['id']}/columns", {"heading_row": 2, "columns": fields}, HEALTH)
    await personnel.works()

    found = await shown(personnel, found["id"])
    assert (found["problem"], found["heading_row"], found["counts"]["new"]) == (None, 2, 1)


async def test_columns_are_chosen_by_hand(personnel: Door) -> None:
    found = await upload(personnel, sheet([*NEW[:3], "在编", "X-1"], headings=["旧号", "姓名", "处室", "用工形式", "工号"]))
    assert (await rows_of(personnel, found["id"]))[0]["number"] == "X-1"

    answer = await personnel.put(f"/imports/{found['id']}/columns", {"columns": {"0": "number", "4": None}}, HEALTH)
    assert (answer.status_code, answer.json()["state"]) == (200, "reading")
    await personnel.works()

    assert (await rows_of(personnel, found["id"]))[0]["number"] == "20210801"
    for wrong in ({"0": "nonsense"}, {"0": "identity_number"}):
        answer = await personnel.put(f"/imports/{found['id']}/columns", {"columns": wrong}, HEALTH)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "columns.0")


async def test_another_sheet_of_the_workbook_is_chosen_without_the_file(personnel: Door) -> None:
    book = openpyxl.load_workbook(io.BytesIO(sheet(NEW, [*NEW[:2], "没有的处"])))
    page = book.create_sheet("后勤")
    for row in (["编号", "名字", "部门", "用工", "备注"], ["X-1", "甘棠", LOGISTICS.name, "在编", f"身份证{IDENTITY}"]):
        page.append(row)
    book.create_sheet("空")
    file = io.BytesIO()
    book.save(file)

    found = await upload(personnel, file.getvalue())
    assert (found["sheet"], found["other_lists"], found["sheets_to_choose"]) == ("Sheet", ["后勤"], ["后勤"])
    choose = {"columns": {"0": None}, "create_departments": True}
    await personnel.put(f"/imports/{found['id']}/columns", choose, HEALTH)
    await personnel.works()

    answer = await personnel.put(f"/imports/{found['id']}/columns", {"sheet": "后勤"}, HEALTH)
    assert answer.status_code == 200, answer.text
    await personnel.works()
    other = await shown(personnel, found["id"])
    assert (other["sheet"], other["other_lists"], other["sheets_to_choose"]) == ("后勤", ["Sheet"], ["Sheet"])
    assert (other["heading_row"], other["identity_numbers_count"], other["create_departments"]) == (1, 1, True)
    assert [(one["number"], one["outcome"]) for one in await rows_of(personnel, found["id"])] == [("X-1", "new")]
    async with personnel.rows() as tx:
        for cells in [*await tx.scalars(select(Import.cells)), *await tx.scalars(select(ImportSheet.cells))]:
            assert IDENTITY not in str(unpack(cells or b""))

    await personnel.put(f"/imports/{found['id']}/columns", {"sheet": "Sheet"}, HEALTH)
    await personnel.works()
    back = await shown(personnel, found["id"])
    assert (back["sheet"], back["counts"]["rows"], back["heading_row"]) == ("Sheet", 2, 2)
    wrong = await personnel.put(f"/imports/{found['id']}/columns", {"sheet": "空"}, HEALTH)
    assert (wrong.status_code, [(one["field"], one["code"]) for one in wrong.json()["errors"]]) == (422, [("sheet", "not_a_choice")])
    await personnel.delete(f"/imports/{found['id']}", HEALTH)
    assert await everything(personnel, ImportSheet) == []


async def test_a_text_file_is_read_in_the_encoding_that_was_chosen(personnel: Door) -> None:
    text = "工號,姓名,備註\n1001,簡一諾,無\n"
    found = await upload(personnel, text.encode("big5"), "名册.csv")
    assert found["encoding"] == "gb18030"
    assert found["first_rows"][0]["cells"][0] != "工號"

    answer = await personnel.put(f"/imports/{found['id']}/columns", {"encoding": "big5"}, HEALTH)
    assert answer.status_code == 200, answer.text
    await personnel.works()

    again = await shown(personnel, found["id"])
    assert (again["encoding"], again["first_rows"][1]["cells"]) == ("big5", ["1001", "簡一諾", "無"])
    refused = await personnel.put(f"/imports/{found['id']}/columns", {"encoding": "utf-8"}, HEALTH)
    assert (refused.status_code, refused.json()["code"]) == (422, "wrong_encoding")


async def test_the_refused_rows_come_as_a_file_to_mend(personnel: Door) -> None:
    found = await upload(personnel, sheet(NEW, ["20210807", "=甘棠", "教务处", "在编", "2021/13/2", *[""] * 6]))

    answer = await personnel.get(f"/imports/{found['id']}/refused", HEALTH)

    assert answer.headers["content-type"].startswith("application/vnd.openxmlformats")
    heading, row = cells_of(answer.content)
    assert heading == [*HEADINGS, "有什么问题"]
    assert row[0] == "20210807"
    assert row[-1].startswith("第 4 行：")
    assert "没有 13 月" in row[-1]
    look = (await personnel.told(RecordLooked))[-1]
    assert (look.what, look.people_count, look.looker_name) == ("export", 1, HEALTH.name)
    english = await personnel.get(f"/imports/{found['id']}/refused", HEALTH, params={"lang": "en"})
    assert cells_of(english.content)[0][-1] == "What is wrong"
    assert "there is no month 13" in cells_of(english.content)[1][-1]


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
async def test_the_file_of_refused_rows_is_mended_and_uploaded_alone(personnel: Door, language: str) -> None:
    wrong = ["20210807", "=甘棠", "教务处", "在编", "2021/13/2", "", "", "科兴", "2021-04-01", "", ""]
    found = await upload(personnel, sheet(NEW, wrong, ["", "陶一鸣", "教务处", "派遣", *[""] * 7]))
    await commit(personnel, found["id"])
    answer = await personnel.get(f"/imports/{found['id']}/refused", HEALTH, params={"lang": language})

    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    page = book.active
    assert isinstance(page, Worksheet)
    page["B2"], page["E2"], page["A3"] = "甘棠", "1991-03-02", "20210808"
    file = io.BytesIO()
    book.save(file)
    again = await upload(personnel, file.getvalue(), "mended.xlsx")

    assert again["counts"] == {"new": 2, "changed": 0, "same": 0, "refused": 0, "rows": 2}
    assert (again["columns"][-1]["field"], len(again["columns"])) == (None, len(HEADINGS) + 1)
    await commit(personnel, again["id"])
    people = (await personnel.get("/people", HEALTH, params={"q": "gantang"})).json()["items"]
    assert [(one["number"], one["name"]) for one in people] == [("20210807", "甘棠")]
