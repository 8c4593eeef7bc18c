"""The page of roles: who holds what, giving and taking, and the second person with the reason why one cannot decide."""

import re
from typing import Any

import httpx
from sqlalchemy import delete

from services.identity.hashing import hashed
from services.identity.setup_code import print_new
from services.identity.tables import Account, Role
from shared.clock import now
from tests.gateway.door import GatewayDoor, hidden, words_of
from tests.people import FU_XINGJIAN, HE_RUONING, JIANG_CAIWEI, LIANG_YUAN, LU_ZHIYAO, ZHONG_YIFAN, Person
from tests.services.let_in import PASSWORD


async def give(browser: httpx.AsyncClient, person: Person, role: str) -> httpx.Response:
    found = await browser.get("/roles", params={"q": person.name})
    return await browser.post("/roles", data={"once": hidden(found, "once"), "q": person.name, "whom": f"person:{person.id}", "role": role})


async def of_the_setup(gateway: GatewayDoor, role: str) -> httpx.AsyncClient:
    """A browser in which an account of the set-up is signed in, which belongs to no person."""
    account = Account(username=role, name=f"{role} of the set-up", password_hash=await hashed(PASSWORD), created_at=now())
    await gateway.doors.identity.has(account)
    await gateway.doors.identity.has(Role(account_id=account.id, role=role, state="given", asked_at=now(), decided_at=now()))
    browser = gateway.stranger("en")
    assert (await browser.post("/signin", data={"username": role, "password": PASSWORD})).status_code == 303
    return browser


async def decide(browser: httpx.AsyncClient, **form: Any) -> httpx.Response:
    shown = await browser.get("/roles")
    found = re.search(r'action="(/roles/[0-9a-f-]{36}/decision)"', shown.text)
    assert found, words_of(shown)
    return await browser.post(found.group(1), data={"once": "decision", **form})


async def test_staff_and_leaders_do_not_see_roles(gateway: GatewayDoor) -> None:
    for person in (LIANG_YUAN, FU_XINGJIAN):
        assert (await (await gateway.browser(person)).get("/roles")).status_code == 403


async def test_roles_that_were_given_and_those_that_follow_from_departments_stand_there(gateway: GatewayDoor) -> None:
    said = words_of(await (await gateway.browser(ZHONG_YIFAN)).get("/roles"))

    assert "何若宁" in said
    assert "傅行简" in said
    assert "教务处 沈知行" in said
    assert "你自己的" in said


async def test_a_leader_takes_two_and_is_unmade(gateway: GatewayDoor) -> None:
    browser, health = await gateway.browser(ZHONG_YIFAN), await gateway.browser(HE_RUONING)

    answer = await give(browser, JIANG_CAIWEI, "leader")
    assert answer.headers["location"] == "/roles?done=asked"
    assert "由有健康档案角色的人决定，你没有这个角色" in words_of(await browser.get("/roles"))
    assert (await decide(health, verdict="approved")).headers["location"] == "/roles?done=role_given"
    shown = await browser.get("/roles")
    assert "江采薇" in words_of(shown)
    row = re.search(r"江采薇.*?action=\"(/roles/[0-9a-f-]{36}/end)\"", shown.text, re.DOTALL)
    assert row

    assert (await browser.post(row.group(1), data={"once": "k"})).headers["location"] == "/roles?done=role_taken"
    assert "江采薇" not in words_of(await browser.get("/roles"))


async def test_the_last_who_keeps_health_records_is_not_taken_away_and_the_page_says_what_to_do(gateway: GatewayDoor) -> None:
    async with gateway.doors.identity.rows() as tx:
        await tx.execute(delete(Role).where(Role.role == "health", Role.person_id != HE_RUONING.id))
    browser = await gateway.browser(ZHONG_YIFAN)
    shown = await browser.get("/roles")
    row = re.search(r"何若宁.*?action=\"(/roles/[0-9a-f-]{36}/end)\"", shown.text, re.DOTALL)
    assert row

    answer = await browser.post(row.group(1), data={"once": "k"})

    assert answer.status_code == 409
    assert "先把角色给下一位" in words_of(answer)


async def test_health_waits_for_who_holds_it_and_the_page_says_why_others_cannot(gateway: GatewayDoor) -> None:
    administrator, health, second = [await gateway.browser(one) for one in (ZHONG_YIFAN, HE_RUONING, LU_ZHIYAO)]

    assert (await give(administrator, JIANG_CAIWEI, "health")).headers["location"] == "/roles?done=asked"
    assert "由有健康档案角色的人决定，你没有这个角色" in words_of(await administrator.get("/roles"))
    assert (await decide(health, verdict="refused")).headers["location"] == "/roles?done=refused"

    await give(health, JIANG_CAIWEI, "health")
    assert "这是你申请的" in words_of(await health.get("/roles"))
    assert (await decide(second, verdict="approved")).headers["location"] == "/roles?done=role_given"


async def test_an_administrator_is_made_at_once(gateway: GatewayDoor) -> None:
    answer = await give(await gateway.browser(ZHONG_YIFAN), JIANG_CAIWEI, "administrator")

    assert answer.headers["location"] == "/roles?done=role_given"


async def test_whoever_belongs_to_no_person_is_told_to_say_first_who_they_are(gateway: GatewayDoor) -> None:
    administrator, keeper = await of_the_setup(gateway, "administrator"), await of_the_setup(gateway, "health")
    health = await gateway.browser(HE_RUONING, "en")
    await give(administrator, JIANG_CAIWEI, "leader")

    own, theirs = words_of(await keeper.get("/roles")), words_of(await health.get("/roles"))

    assert "Your account came in by the set-up and belongs to no person yet" in own
    assert "You decide once your account belongs to a person" in own
    assert "Say first who you are" not in theirs
    assert "Whoever asked has an account that belongs to no person" in theirs


async def test_nobody_gives_themselves_a_role(gateway: GatewayDoor) -> None:
    answer = await give(await gateway.browser(ZHONG_YIFAN, "en"), ZHONG_YIFAN, "leader")

    assert answer.status_code == 409
    assert "Nobody changes their own roles." in words_of(answer)


async def test_without_a_person_the_form_says_so_and_keeps_the_role(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)

    answer = await browser.post("/roles", data={"once": "k", "q": "江采薇", "role": "leader"})

    assert answer.status_code == 422
    assert re.search(r'value="leader" checked', answer.text)


async def test_while_nobody_keeps_health_records_the_setup_code_is_the_second_person(gateway: GatewayDoor) -> None:
    async with gateway.doors.identity.rows() as tx:
        await tx.execute(delete(Role).where(Role.role == "health"))
    code = await print_new(gateway.doors.identity.database, "health")
    browser = await gateway.browser(ZHONG_YIFAN)
    await give(browser, HE_RUONING, "health")
    assert "控制台上的安装码代替第二个人" in words_of(await browser.get("/roles"))

    wrong = await decide(browser, verdict="approved", setup_code="AAAAA-AAAAA-AAAAA")
    assert wrong.status_code == 409
    right = await decide(browser, verdict="approved", setup_code=code)

    assert right.headers["location"] == "/roles?done=role_given"


async def test_personnel_away_leaves_the_given_roles(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)
    await browser.get("/roles")
    gateway.down("personnel")

    answer = await browser.get("/roles")

    assert answer.status_code == 200
    assert "何若宁" in words_of(answer)
    assert "负责人和联络员" in words_of(answer)


async def test_the_administrator_gives_the_roles_of_the_deployment_alone(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)

    given = [await give(browser, JIANG_CAIWEI, role) for role in ("duty_planner", "coordinator")]
    shown = words_of(await browser.get("/roles"))

    assert [one.headers["location"] for one in given] == ["/roles?done=role_given"] * 2
    assert "收回排班员" in shown
    assert "收回协调员" in shown
