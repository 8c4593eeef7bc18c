"""The pages of imports: a list is brought, looked at, put right and written; what is wrong stands there in plain words."""

import re
from typing import Any

import httpx
import pytest

from gateway.codes import WORDS
from gateway.i18n import gettext
from gateway.pages import environment
from services.personnel.rules.headings import FIELDS
from services.personnel.rules.matching import ERRORS, WARNINGS
from services.personnel.rules.words import SENTENCES
from tests.gateway.door import GatewayDoor, hidden, partial, words_of
from tests.gateway.lists import CHANGED, ELSEWHERE, HEADINGS, NEW, NO_NAME, SAME, WRONG, sheet
from tests.people import FU_XINGJIAN, HE_RUONING, LIANG_YUAN


async def bring(browser: httpx.AsyncClient, content: bytes, name: str = "秋季名册.xlsx", **form: Any) -> httpx.Response:
    first = await browser.get("/imports")
    return await browser.post("/imports", data={"once": hidden(first, "once"), **form}, files={"file": (name, content)})


async def checked(gateway: GatewayDoor, browser: httpx.AsyncClient, content: bytes, name: str = "秋季名册.xlsx") -> str:
    """The address of an import whose list has been compared."""
    answer = await bring(browser, content, name)
    assert answer.status_code == 303, words_of(answer)
    await gateway.doors.personnel.works()
    return answer.headers["location"]


async def press(browser: httpx.AsyncClient, address: str, what: str, **form: Any) -> httpx.Response:
    return await browser.post(f"{address}/{what}", data={"once": hidden(await browser.get(address), "once"), **form})


async def test_another_sheet_of_the_workbook_is_chosen_on_the_page(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    address = await checked(gateway, browser, sheet(NEW, SAME, second=[["工号", "姓名"], ["20210899", "甘棠"]]))
    shown = await browser.get(address)
    assert "可以在下面改选" in words_of(shown)
    was = hidden(shown, "was_sheet")

    moved = {"column_0": "name", "was_column_0": "number", "heading_row": "7", "was_heading_row": "1"}
    assert (await press(browser, address, "columns", sheet="学员名册", was_sheet=was, **moved)).status_code == 303
    await gateway.doors.personnel.works()

    shown = await browser.get(address)
    assert "20210899" in shown.text
    assert hidden(shown, "was_sheet") == "学员名册"
    refused = await press(browser, address, "columns", sheet="没有", was_sheet="学员名册")
    assert refused.status_code == 422


async def test_the_list_of_imports_says_why_one_cannot_be_judged(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    await checked(gateway, browser, sheet(["甲", "乙"], headings=["一", "二"]))

    assert "没有找到表头" in words_of(await browser.get("/imports"))


@pytest.mark.parametrize("code", sorted({**SENTENCES, **ERRORS, **WARNINGS}))
def test_every_code_of_a_staff_list_has_words_in_both_languages(code: str) -> None:
    sentence = WORDS[code]

    assert re.search("[\u4e00-\u9fff]", gettext("zh-Hans", sentence)), sentence


async def test_only_who_keeps_health_records_imports(gateway: GatewayDoor) -> None:
    for person in (LIANG_YUAN, FU_XINGJIAN):
        assert (await (await gateway.browser(person)).get("/imports")).status_code == 403


async def test_the_first_visit_says_what_to_bring(gateway: GatewayDoor) -> None:
    answer = await (await gateway.browser(HE_RUONING)).get("/imports")

    assert answer.status_code == 200
    assert "还没有导入过名册" in words_of(answer)
    assert 'type="file"' in answer.text


async def test_no_file_is_said_beside_the_field(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    answer = await browser.post("/imports", data={"once": "k", "sheet": "二月"}, files={"other": ("", b"")})

    assert answer.status_code == 422
    assert re.search(r'id="f_file_error">\S+', answer.text)
    assert 'value="二月"' in answer.text


async def test_what_is_no_list_is_refused_in_plain_words(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING, "en")

    answer = await bring(browser, b"\x00\x01\x02 this is nothing", "picture.bin")

    assert answer.status_code == 422
    assert "This is not a spreadsheet" in words_of(answer)


async def test_while_it_is_read_the_page_goes_on_by_itself(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    address = (await bring(browser, sheet(NEW))).headers["location"]

    shown = await browser.get(address)
    assert '<noscript><meta http-equiv="refresh"' in shown.text
    assert 'hx-trigger="every 1s"' in shown.text

    await gateway.doors.personnel.works()
    block = await browser.get(address, headers=partial("the_import"))
    assert "<html" not in block.text
    assert "every 1s" not in block.text
    assert "写入 1 行" in words_of(block)


async def test_sent_twice_it_is_one_import(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    once, content = hidden(await browser.get("/imports"), "once"), sheet(NEW)

    answers = [await browser.post("/imports", data={"once": once}, files={"file": ("名册.xlsx", content)}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert len({answer.headers["location"] for answer in answers}) == 1


async def test_everything_is_shown_before_anything_is_written(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    shown = await browser.get(await checked(gateway, browser, sheet(NEW, CHANGED, SAME, WRONG, NO_NAME)))

    said = words_of(shown)
    assert "新增 1＋变更 1＋相同 1＋有错 2＝文件里的 5 行" in said
    assert "第 6 行 喻知秋" in said
    assert "没有 13 月" in said
    assert "第 7 行 （没有姓名）" in said
    assert "没有姓名。" in said
    assert "写入 2 行" in said


async def test_more_rows_than_a_page_holds_are_on_the_next(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    rows = [(f"2021{number:04}", *WRONG[1:]) for number in range(60)]

    address = await checked(gateway, browser, sheet(*rows))

    assert "第 1–50 条" in words_of(await browser.get(address))
    assert "第 62 行" in words_of(await browser.get(f"{address}?outcome=refused&page=2"))


async def test_a_change_is_shown_old_and_new(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING, "en")

    shown = await browser.get(await checked(gateway, browser, sheet(NEW, CHANGED)) + "?outcome=changed")

    assert re.search(r"<del>\s*教务处\s*</del>", shown.text)
    assert re.search(r"<ins>\s*办公室\s*</ins>", shown.text)


async def test_a_new_row_says_its_doses_by_name(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    said = words_of(await browser.get(await checked(gateway, browser, sheet(NEW)) + "?outcome=new"))

    assert "第 1 剂：2021 年 3 月 12 日" in said.replace(" ：", "：").replace("： ", "：")
    assert "2021 年 4 月 12 日" in said


async def test_identity_numbers_are_said_to_be_dropped_and_stand_nowhere(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    row = (*NEW[:5], "11010519900102123X", *NEW[6:])

    shown = await browser.get(await checked(gateway, browser, sheet(row)) + "?outcome=new")

    assert "认出 1 个身份证号，没有保存" in words_of(shown)
    assert "11010519900102123X" not in shown.text


async def test_departments_that_are_not_there_are_made_when_it_is_said(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    address = await checked(gateway, browser, sheet(ELSEWHERE))
    before = words_of(await browser.get(address))
    assert "1 个处室系统里没有" in before
    assert "系统里还没有处室“外联处”" in before
    assert "先在下面决定，要不要建立这 1 个处室" in before

    answer = await press(browser, address, "columns", ask_departments="1", create_departments="on")
    await gateway.doors.personnel.works()

    assert answer.status_code == 303
    assert "写入 1 行" in words_of(await browser.get(address))


async def test_a_first_list_with_many_departments_shows_a_dozen_and_folds_the_rest(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING, "en")
    rows = [(f"2021{number:04}", f"夏{number}", f"新设{number}处", *ELSEWHERE[3:]) for number in range(30)]

    shown = await browser.get(await checked(gateway, browser, sheet(*rows)))

    assert "say below whether the 30 departments are to be made" in words_of(shown)
    first, _, rest = shown.text.partition("<summary>18 more</summary>")
    assert (first.count('</b><span class="dim">1 row</span>'), rest.count('</b><span class="dim">1 row</span>')) == (12, 18)


async def test_a_column_is_sent_elsewhere_and_the_list_compared_again(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    headings = ["工号", "称呼", *HEADINGS[2:]]
    address = await checked(gateway, browser, sheet(NEW, headings=headings))
    assert "没有哪一列是姓名" in words_of(await browser.get(address))

    answer = await press(browser, address, "columns", column_1="name", was_1="none")
    await gateway.doors.personnel.works()

    assert answer.status_code == 303
    assert "写入 1 行" in words_of(await browser.get(address))


async def test_another_sheet_that_looks_like_a_list_is_told(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    other = (HEADINGS[:5], ("L2109-0386", "苏木", "教务处", "学员", "1990-01-02"))

    shown = await browser.get(await checked(gateway, browser, sheet(NEW, second=other)))

    assert "还有 1 个工作表也像名册，没有读" in words_of(shown)
    assert "学员名册" in words_of(shown)


async def test_a_text_file_shows_its_encoding_to_be_changed(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    text = "工号,姓名,处室,用工形式\n20210801,简一诺,教务处,在编\n".encode("gb18030")

    shown = await browser.get(await checked(gateway, browser, text, "名册.csv"))

    assert re.search(r'<option value="gb18030" selected', shown.text)


async def test_after_writing_the_report_adds_up_and_the_refused_rows_are_a_file(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    address = await checked(gateway, browser, sheet(NEW, SAME, WRONG))

    assert (await press(browser, address, "commit")).status_code == 303
    await gateway.doors.personnel.works()

    said = words_of(await browser.get(address))
    assert "名册已写入" in said
    assert "新增 1＋变更 0＋相同 1＋有错 1＝文件里的 3 行" in said
    file = await browser.get(f"{address}/refused")
    assert file.status_code == 200
    assert file.content[:2] == b"PK"
    assert "attachment" in file.headers["content-disposition"]


async def test_a_list_without_rows_is_not_said_to_be_on_record(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING, "en")
    address = await checked(gateway, browser, sheet())

    shown = words_of(await browser.get(address))

    assert "no row stands below the headings" in shown
    assert "on record already" not in shown


async def test_given_up_nothing_is_written(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    address = await checked(gateway, browser, sheet(NEW))

    answer = await press(browser, address, "abandon")

    assert answer.headers["location"] == "/imports?done=import_abandoned"
    assert "这次导入已放弃" in words_of(await browser.get(address))
    assert (await browser.get(f"{address}/refused")).status_code == 409


async def test_written_already_it_cannot_be_given_up(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    address = await checked(gateway, browser, sheet(NEW))
    once = hidden(await browser.get(address), "once")
    await press(browser, address, "commit")
    await gateway.doors.personnel.works()

    answer = await browser.post(f"{address}/abandon", data={"once": once + "x"})

    assert answer.status_code == 409
    assert "名册已写入" in words_of(answer)


async def test_personnel_away_is_said(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    await browser.get("/imports")
    gateway.down("personnel")

    assert (await browser.get("/imports")).status_code == 503


async def test_nobody_finds_an_import_that_is_none(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    assert (await browser.get("/imports/0198a5c0-0000-7000-8000-000000000099")).status_code == 404
    assert (await browser.get("/imports/nothing")).status_code == 404


def test_every_field_of_a_staff_list_has_a_name_on_the_page() -> None:
    named = environment("zh-Hans").get_template("imports/words.html").module

    assert [field for field in FIELDS if str(named.field_name(field)).strip() == field] == []  # type: ignore[attr-defined]
