"""Remarks: what a person says is wrong is answered once, and the person reads it."""

from typing import Any

from tests.gateway.door import GatewayDoor, words_of
from tests.people import FU_XINGJIAN, HE_RUONING, JIANG_CAIWEI, LIANG_YUAN, LU_ZHIYAO, caller


async def remark(gateway: GatewayDoor) -> dict[str, Any]:
    """江采薇 says that a date is wrong."""
    answer = await gateway.doors.personnel.post("/remarks", {"about": "dose", "text": "第二针是 6 月 12 日"}, caller(JIANG_CAIWEI))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_none_says_so(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    assert "都答复了" in words_of(await browser.get("/remarks"))
    assert "还没有" in words_of(await browser.get("/remarks", params={"answered": "true"}))


async def test_a_remark_is_answered_and_stays_readable(gateway: GatewayDoor) -> None:
    written = await remark(gateway)
    browser = await gateway.browser(HE_RUONING)

    listed, asked = await browser.get("/remarks"), await browser.get("/remarks", params={"answer": written["id"]})
    answer = await browser.post(f"/remarks/{written['id']}", data={"text": "已按接种证更正。"})
    answered = words_of(await browser.get("/remarks", params={"answered": "true"}))

    assert "第二针是 6 月 12 日" in words_of(listed)
    assert f'data-opens="d_{written["id"]}"' in listed.text
    assert '<dialog class="dialog shown"' in asked.text
    assert answer.headers["location"] == "/remarks?done=remark_answered"
    assert "已按接种证更正。" in answered
    assert "都答复了" in words_of(await browser.get("/remarks"))


async def test_each_view_says_how_many_there_are_and_a_form_stands_on_any_page_of_the_list(gateway: GatewayDoor) -> None:
    first, second = await remark(gateway), await remark(gateway)
    browser = await gateway.browser(HE_RUONING)
    await browser.post(f"/remarks/{first['id']}", data={"text": "好了"})

    elsewhere = await browser.get("/remarks", params={"answer": second["id"], "page": "2"})
    answered = await browser.get("/remarks", params={"answer": first["id"], "page": "2"})

    assert "待答复 1 已答复 1" in words_of(elsewhere)
    assert '<dialog class="dialog shown"' in elsewhere.text
    assert '<dialog class="dialog shown"' not in answered.text


async def test_an_empty_answer_and_a_second_one_are_refused_in_words(gateway: GatewayDoor) -> None:
    written = await remark(gateway)
    first, second = await gateway.browser(HE_RUONING), await gateway.browser(LU_ZHIYAO)

    empty = await first.post(f"/remarks/{written['id']}", data={})
    await first.post(f"/remarks/{written['id']}", data={"text": "好了"})
    late = await second.post(f"/remarks/{written['id']}", data={"text": "也好了"})

    assert (empty.status_code, late.status_code) == (422, 409)
    assert 'aria-invalid="true"' in empty.text
    assert "已经有人答复了" in words_of(late)


async def test_others_are_told_that_it_is_not_theirs_and_a_missing_service_is_said(gateway: GatewayDoor) -> None:
    english = await gateway.browser(HE_RUONING, "en")

    for person in (LIANG_YUAN, FU_XINGJIAN):
        assert (await (await gateway.browser(person)).get("/remarks")).status_code == 403
    assert "To answer" in words_of(await english.get("/remarks"))
    gateway.down("personnel")
    assert (await english.get("/remarks")).status_code == 503
