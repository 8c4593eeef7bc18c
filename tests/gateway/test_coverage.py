"""Coverage and the urge list: buckets that add up, links behind them, files, and what a head is not told."""

import re
from io import BytesIO

from openpyxl import load_workbook

from tests.gateway.door import GatewayDoor, words_of
from tests.people import FU_XINGJIAN, HE_RUONING, HEALTH, JIANG_CAIWEI, LIANG_YUAN, PEOPLE, SHEN_ZHIXING, TEACHING


async def vaccinate(gateway: GatewayDoor) -> None:
    """江采薇 is complete; the rest has no dose."""
    for given_on in ("2021-03-01", "2021-03-29"):
        wish = {"person_id": str(JIANG_CAIWEI.id), "product": "北京生物", "given_on": given_on}
        assert (await gateway.doors.personnel.post("/doses", wish, HEALTH)).status_code == 201


async def test_the_buckets_add_up_and_lead_to_the_people(gateway: GatewayDoor) -> None:
    await vaccinate(gateway)
    browser = await gateway.browser(HE_RUONING)

    answer = await browser.get("/coverage")

    said = words_of(answer)
    assert f"在册人数 {len(PEOPLE)}" in said
    assert "<title>11 人的接种情况: 已完成 1" in answer.text
    for table in re.findall(r"<table.*?</table>", answer.text, re.DOTALL):
        rows = [re.findall(r'class="num">(.*?)</td>', row, re.DOTALL) for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)[1:]]
        numbers = [[int(re.sub(r"<[^>]+>", "", cell).strip() or 0) for cell in row] for row in rows]
        assert all(row[0] == sum(row[1:]) for row in numbers)
        assert [sum(column) for column in zip(*numbers[:-1], strict=True)] == numbers[-1]
    link = re.search(r'href="(/people\?standing=complete&amp;department_id=[^"]+)"', answer.text)
    assert link
    assert "江采薇" in words_of(await browser.get(link[1].replace("&amp;", "&")))


async def test_another_day_shows_how_it_was_and_links_to_nothing(gateway: GatewayDoor) -> None:
    await vaccinate(gateway)
    browser = await gateway.browser(HE_RUONING)

    then = await browser.get("/coverage", params={"on": "2021-03-15"})
    wrong = await browser.get("/coverage", params={"on": "2021-13-45"})
    before = await browser.get("/coverage", params={"on": "1950-01-01"})

    assert "接种中 1" in words_of(then)
    assert "/people?standing" not in then.text
    assert wrong.status_code == 422
    assert 'value="2021-13-45"' in wrong.text
    assert "这不是日期，请写年、月、日" in words_of(wrong)
    assert "这一天没有人在册" in words_of(before)


async def test_those_to_be_urged_are_listed_filtered_and_counted(gateway: GatewayDoor) -> None:
    await vaccinate(gateway)
    browser = await gateway.browser(HE_RUONING)

    everybody = words_of(await browser.get("/coverage/urge"))
    teaching = words_of(await browser.get("/coverage/urge", params={"department_id": str(TEACHING.id)}))

    assert "10 人" in everybody
    assert "潘向野" in everybody
    assert "江采薇" not in everybody
    assert "没有记录，也没有证明" in everybody
    assert "方既白" in teaching
    assert "潘向野" not in teaching


async def test_a_head_gets_names_of_the_own_department_and_no_reasons(gateway: GatewayDoor) -> None:
    await vaccinate(gateway)
    browser = await gateway.browser(SHEN_ZHIXING)

    urged, coverage = await browser.get("/coverage/urge"), await browser.get("/coverage")

    said = words_of(urged)
    assert "方既白" in said
    assert "潘向野" not in said
    assert "没有记录" not in said
    assert "逾期" not in said
    counted = words_of(coverage)
    assert "在册人数 4 要催种 3 其他人 1" in counted
    assert "只在人数够多、看不出是谁的时候才显示" in counted
    assert "未接种" not in counted
    assert 'name="on"' not in coverage.text
    assert "/people?standing" not in coverage.text


async def test_both_come_as_a_workbook(gateway: GatewayDoor) -> None:
    await vaccinate(gateway)
    browser = await gateway.browser(HE_RUONING)

    for address in ("/coverage/export", f"/coverage/urge/export?department_id={TEACHING.id}"):
        answer = await browser.get(address)
        assert answer.status_code == 200
        assert "attachment" in answer.headers["content-disposition"]
        cells = [cell for sheet in load_workbook(BytesIO(answer.content)) for row in sheet.values for cell in row]
        assert "教务处" in cells
        assert ("方既白" in cells) == ("urge" in address)


async def test_a_leader_sees_coverage_but_no_names(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(FU_XINGJIAN)

    coverage = await browser.get("/coverage")

    assert coverage.status_code == 200
    assert "催种名单" not in words_of(coverage)
    assert "/people?standing" not in coverage.text
    assert (await browser.get("/coverage/urge")).status_code == 403
    assert (await browser.get("/coverage/urge/export")).status_code == 403


async def test_staff_is_told_that_it_is_not_theirs_and_a_missing_service_is_said(gateway: GatewayDoor) -> None:
    staff, hr = await gateway.browser(LIANG_YUAN), await gateway.browser(HE_RUONING, "en")
    refused = [(await staff.get(address)).status_code for address in ("/coverage", "/coverage/urge", "/coverage/export")]
    english = words_of(await hr.get("/coverage"))
    gateway.down("personnel")

    assert refused == [403, 403, 403]
    assert "By department" in english
    assert (await hr.get("/coverage")).status_code == 503
