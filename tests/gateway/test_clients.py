"""The page of API clients: made with scopes and an end, the key shown once, health scopes only with a second person."""

import re
from typing import Any

import httpx

from shared.policy import SCOPES
from tests.gateway.door import GatewayDoor, hidden, words_of
from tests.people import HE_RUONING, LIANG_YUAN, ZHONG_YIFAN

KEY = re.compile(r"muster_[0-9a-f]{10}_[\w-]{43}")


async def make(browser: httpx.AsyncClient, *scopes: str, **changes: Any) -> httpx.Response:
    once = hidden(await browser.get("/clients"), "once")
    form = {"once": once, "name": "区卫健接种平台", "expires_on": "2022-07-31", "scopes": list(scopes), **changes}
    return await browser.post("/clients", data=form)


def action(answer: httpx.Response, what: str) -> str:
    found = re.search(rf'action="(/clients/[0-9a-f-]{{36}}{what})"', answer.text)
    assert found, words_of(answer)
    return found.group(1)


async def test_staff_do_not_see_clients(gateway: GatewayDoor) -> None:
    assert (await (await gateway.browser(LIANG_YUAN)).get("/clients")).status_code == 403


async def test_without_clients_the_page_says_what_they_are(gateway: GatewayDoor) -> None:
    assert "还没有别的系统接入" in words_of(await (await gateway.browser(ZHONG_YIFAN)).get("/clients"))


async def test_a_key_is_shown_once(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)

    made = await make(browser, "people:read")
    key = KEY.search(made.text)
    assert key
    assert f'data-copy="{key.group(0)}"' in made.text
    assert made.headers["cache-control"] == "no-store"

    listed = await browser.get("/clients")
    assert key.group(0) not in listed.text
    assert key.group(0)[:17] in listed.text
    token = await gateway.doors.identity.post("/clients/token", headers={"authorization": f"Bearer {key.group(0)}"})
    assert token.status_code == 200


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(gateway: GatewayDoor) -> None:
    answer = await make(await gateway.browser(ZHONG_YIFAN, "en"), "people:read", expires_on="2020-01-01")

    assert answer.status_code == 422
    assert "This day is over already." in words_of(answer)
    assert 'value="区卫健接种平台"' in answer.text
    assert re.search(r'value="people:read" checked', answer.text)


async def test_the_key_of_a_health_scope_is_shown_to_who_keeps_health_records_and_approves_it(gateway: GatewayDoor) -> None:
    administrator, health = await gateway.browser(ZHONG_YIFAN), await gateway.browser(HE_RUONING)
    made = await make(administrator, "vaccination:write")
    assert made.headers["location"] == "/clients?done=key_asked"
    waits = await administrator.get("/clients?done=key_asked")
    assert "批准后显示给批准的人" in words_of(waits)
    assert "/decision" not in waits.text

    shown = await health.get("/clients")
    assert "批准时才生成密钥" in words_of(shown)
    answer = await health.post(action(shown, "/decision"), data={"once": "k", "version": hidden(shown, "version"), "verdict": "approved"})

    key = KEY.search(answer.text)
    assert key
    assert f'data-copy="{key.group(0)}"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    for browser in (administrator, health):
        assert key.group(0) not in (await browser.get("/clients")).text
    token = await gateway.doors.identity.post("/clients/token", headers={"authorization": f"Bearer {key.group(0)}"})
    assert token.status_code == 200


async def test_a_refused_health_scope_makes_no_key(gateway: GatewayDoor) -> None:
    administrator, health = await gateway.browser(ZHONG_YIFAN), await gateway.browser(HE_RUONING, "en")
    await make(administrator, "people:write")
    shown = await health.get("/clients")
    assert "Approving makes the key and shows it to you" in words_of(shown)

    answer = await health.post(action(shown, "/decision"), data={"once": "k", "version": hidden(shown, "version"), "verdict": "refused"})

    assert answer.headers["location"] == "/clients?done=refused"


async def test_a_further_key_of_a_health_client_waits_too(gateway: GatewayDoor) -> None:
    administrator = await gateway.browser(ZHONG_YIFAN, "en")
    await make(administrator, "people:write")

    second = await administrator.post(action(await administrator.get("/clients"), "/keys"), data={"once": "second"})

    assert second.headers["location"] == "/clients?done=key_asked"


async def test_a_key_added_meanwhile_is_not_agreed_to_unseen(gateway: GatewayDoor) -> None:
    administrator, health = await gateway.browser(ZHONG_YIFAN), await gateway.browser(HE_RUONING)
    await make(administrator, "vaccination:write")
    shown = await health.get("/clients")
    await administrator.post(action(await administrator.get("/clients"), "/keys"), data={"once": "second"})

    answer = await health.post(action(shown, "/decision"), data={"once": "k", "version": hidden(shown, "version"), "verdict": "approved"})

    assert answer.status_code == 409


async def test_a_second_key_is_made_the_first_ended_and_then_the_client(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)
    await make(browser, "people:read")

    second = await browser.post(action(await browser.get("/clients"), "/keys"), data={"once": "second"})
    assert KEY.search(second.text)
    assert "已有两个有效的密钥" in words_of(await browser.get("/clients"))

    ended = await browser.post(action(await browser.get("/clients"), "/keys/[0-9a-f]{10}/end"), data={"once": "k"})
    assert ended.headers["location"] == "/clients?done=key_ended"
    gone = await browser.post(action(await browser.get("/clients"), "/end"), data={"once": "k2"})
    assert gone.headers["location"] == "/clients?done=client_ended"


async def test_identity_away_is_said(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)
    await browser.get("/clients")
    gateway.down("identity")

    assert (await browser.get("/clients")).status_code == 503


async def test_every_scope_is_offered_and_those_of_the_deployment_need_no_second_person(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN, "en")

    offered = re.findall(r'name="scopes" value="([^"]+)"', (await browser.get("/clients")).text)
    made = await make(browser, "duty:write", "dispatch:read", "notices:write")

    assert offered == list(SCOPES)
    assert KEY.search(made.text)
    listed = words_of(await browser.get("/clients"))
    assert all(words in listed for words in ("write posts and rosters", "read operations and who is on them", "issue notices"))
