"""The pages of accounts and activation sheets: codes are shown once, to those who may, and a second person is asked where one is needed."""

import re
from typing import Any
from uuid import uuid4

import httpx

from gateway.accounts.sheets import highest
from services.identity.limits import lockout_key
from services.identity.tables import Account, KnownPerson, Lockout
from shared.clock import real_now
from tests.gateway.door import GatewayDoor, hidden, words_of
from tests.people import (
    FU_XINGJIAN,
    HE_RUONING,
    JIANG_CAIWEI,
    LIANG_YUAN,
    LU_ZHIYAO,
    OFFICE,
    PAN_XIANGYE,
    TEACHING,
    ZHONG_YIFAN,
    Person,
)

CODE = re.compile(r"\b[0-9A-Z]{5}-[0-9A-Z]{5}\b")


async def ask(browser: httpx.AsyncClient, **form: Any) -> httpx.Response:
    once = hidden(await browser.get("/accounts/sheets"), "once")
    return await browser.post("/accounts/sheets", data={"once": once, **form})


async def waiting_id(browser: httpx.AsyncClient) -> str:
    found = re.search(r"/accounts/sheets/([0-9a-f-]{36})/decision", (await browser.get("/accounts/sheets")).text)
    assert found
    return found.group(1)


async def test_staff_and_leaders_see_no_accounts(gateway: GatewayDoor) -> None:
    for person in (LIANG_YUAN, FU_XINGJIAN):
        browser = await gateway.browser(person)
        assert (await browser.get("/accounts")).status_code == 403
        assert (await browser.get("/accounts/sheets")).status_code == 403


async def test_everybody_is_listed_with_how_they_stand(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)

    said = words_of(await browser.get("/accounts"))

    assert "江采薇" in said
    assert "未启用" in said
    assert "健康档案" in said


async def test_a_name_is_found_and_a_filter_narrows(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN, "en")

    found = words_of(await browser.get("/accounts?q=江采"))
    nobody = words_of(await browser.get("/accounts?state=locked"))

    assert "江采薇" in found
    assert "梁予安" not in found
    assert "Nobody is found" in nobody


async def test_more_people_than_a_page_holds_are_on_the_next(gateway: GatewayDoor) -> None:
    rest = {"department_id": TEACHING.id, "employment": "permanent", "left_on": None, "version": 1, "telling": None}
    async with gateway.doors.identity.rows() as tx:
        for nth in range(60):
            tx.add(KnownPerson(id=uuid4(), number=f"N{nth}", name=f"苏木{nth}", sort_key=f"zz{nth:02}", heard_at=real_now(), **rest))
    browser = await gateway.browser(HE_RUONING)

    assert "第 1–50 条" in words_of(await browser.get("/accounts"))
    assert "苏木59" in words_of(await browser.get("/accounts?page=2"))
    assert "第 1–30 条" in words_of(await browser.get("/accounts/sheets"))


async def test_a_lock_is_opened_by_the_administrator_alone(gateway: GatewayDoor) -> None:
    kept = Account(person_id=JIANG_CAIWEI.id, name="江采薇", password_hash="x", created_at=real_now())
    account = await gateway.doors.identity.has(kept)
    until = real_now().replace(year=real_now().year + 1)
    await gateway.doors.identity.has(
        Lockout(
            key=lockout_key(account.id, "", "10.0.0.1"), account_id=account.id, wrong_count=10, last_wrong_at=real_now(), locked_until=until
        )
    )
    administrator, health = await gateway.browser(ZHONG_YIFAN), await gateway.browser(HE_RUONING)
    address = f"/accounts/{JIANG_CAIWEI.id}"

    assert "已锁定" in words_of(await administrator.get(address))
    assert "由管理员办理" in words_of(await health.get(address))
    assert (await health.post(f"{address}/unlock", data={"once": "k1"})).status_code == 403
    answer = await administrator.post(f"{address}/unlock", data={"once": "k2"})

    assert answer.headers["location"] == f"{address}?done=unlocked"
    assert "已锁定" not in words_of(await administrator.get(address))


async def test_the_administrator_ends_the_sessions_of_a_lost_phone(gateway: GatewayDoor) -> None:
    lost = await gateway.browser(JIANG_CAIWEI)
    administrator = await gateway.browser(ZHONG_YIFAN)
    address = f"/accounts/{JIANG_CAIWEI.id}"
    assert "1 台设备已登录" in words_of(await administrator.get(address))

    await administrator.post(f"{address}/sessions/end", data={"once": "k"})

    assert (await lost.get("/menu")).status_code == 303
    assert "没有登录" in words_of(await administrator.get(address))


async def test_sheets_of_a_department_are_printed_with_codes_and_pictures(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    answer = await ask(browser, department_ids=str(TEACHING.id))

    said = words_of(answer)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "江采薇" in said
    assert "用手机相机扫二维码" in said
    assert len(CODE.findall(said)) == answer.text.count('class="qr"') == answer.text.count("<article")
    assert "style=" not in answer.text
    assert CODE.search(words_of(await browser.get("/accounts/sheets"))) is None


async def test_a_sheet_does_not_tell_the_staff_number_that_proves_whose_it_is(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    printed = await ask(browser, person_ids=str(JIANG_CAIWEI.id))
    code = CODE.search(words_of(printed))
    assert code
    slip = printed.text.partition("<article")[2].partition("</article>")[0]
    scanned = await gateway.stranger().get(f"/activate/{code.group(0)}")

    assert "江采薇" in slip
    assert TEACHING.name in slip
    assert "江采薇" in words_of(scanned)
    assert JIANG_CAIWEI.number not in printed.text
    assert JIANG_CAIWEI.number not in scanned.text


async def test_a_new_sheet_ends_the_code_before(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    first = CODE.findall(words_of(await ask(browser, person_ids=str(JIANG_CAIWEI.id))))
    second = CODE.findall(words_of(await ask(browser, person_ids=str(JIANG_CAIWEI.id))))

    assert first
    assert second
    old = await gateway.doors.identity.get(f"/activations/{first[0]}")
    assert old.json()["code"] == "code_ended"


async def test_a_code_for_one_who_keeps_health_records_goes_to_one_who_does_at_once_or_waits(gateway: GatewayDoor) -> None:
    health, second = await gateway.browser(HE_RUONING), await gateway.browser(LU_ZHIYAO)

    asked = words_of(await ask(health, person_ids=str(ZHONG_YIFAN.id)))

    assert "1 个码等第二个人批准" in asked
    assert CODE.search(asked) is None
    assert "这是你申请的" in words_of(await health.get("/accounts/sheets"))
    answer = await second.post(f"/accounts/sheets/{await waiting_id(second)}/decision", data={"once": "k", "verdict": "approved"})
    assert "钟亦凡" in words_of(answer)
    assert CODE.search(words_of(answer))


async def test_what_an_administrator_asks_for_waits_for_who_keeps_health_records(gateway: GatewayDoor) -> None:
    administrator, health = await gateway.browser(ZHONG_YIFAN), await gateway.browser(HE_RUONING)

    asked = await ask(administrator, person_ids=str(PAN_XIANGYE.id))
    assert CODE.search(words_of(asked)) is None

    answer = await health.post(f"/accounts/sheets/{await waiting_id(health)}/decision", data={"once": "k", "verdict": "refused"})
    assert answer.headers["location"] == "/accounts/sheets?done=refused"


async def test_nobody_prints_a_sheet_for_themselves(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    answer = await ask(browser, person_ids=str(HE_RUONING.id))

    assert answer.status_code == 409
    assert "谁都不能改自己的角色" in words_of(answer)


async def test_nobody_chosen_is_said(gateway: GatewayDoor) -> None:
    answer = await ask(await gateway.browser(HE_RUONING, "en"))

    assert answer.status_code == 422
    assert "Nobody is chosen" in words_of(answer)


async def test_personnel_away_leaves_the_single_people(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    await browser.get("/accounts")
    gateway.down("personnel")

    answer = await browser.get("/accounts/sheets")

    assert answer.status_code == 200
    assert "处室列表" in words_of(answer)
    assert "江采薇" in words_of(answer)


def test_a_department_below_a_chosen_one_is_asked_for_once() -> None:
    above = {"a": None, "b": "a", "c": "b", "d": None}
    departments: list[dict[str, Any]] = [{"id": one, "parent_id": parent} for one, parent in above.items()]

    assert highest(["c", "a", "d", "a"], departments) == ["a", "d"]
    assert highest(["c"], departments) == ["c"]


def row_of(person: Person) -> str:
    return f"/accounts/{person.id}"


async def test_an_account_that_is_none_is_not_found(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)

    assert (await browser.get(f"/accounts/{OFFICE.id}")).status_code == 404
    assert (await browser.get(row_of(LIANG_YUAN))).status_code == 200
