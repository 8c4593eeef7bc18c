"""The page of webhooks: made with a secret shown once, refused inside the network, their messages listed, ended."""

import re

from tests.gateway.door import GatewayDoor, hidden, words_of
from tests.people import FU_XINGJIAN, LIANG_YUAN, ZHONG_YIFAN

SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{32}")
FORM = {"url": "https://hooks.example.org/muster", "kind": "assignment.confirmed"}


async def test_nobody_but_the_administrator_sees_webhooks(gateway: GatewayDoor) -> None:
    for person in (LIANG_YUAN, FU_XINGJIAN):
        assert (await (await gateway.browser(person)).get("/webhooks")).status_code == 403


async def test_the_secret_is_shown_once_with_a_copy_button(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)
    shown = await browser.get("/webhooks")
    assert "没有推送给别的系统" in words_of(shown)

    made = await browser.post("/webhooks", data={"once": hidden(shown, "once"), **FORM})

    secret = SECRET.search(made.text)
    assert secret
    assert f'data-copy="{secret[0]}"' in made.text
    assert made.headers["cache-control"] == "no-store"
    listed = await browser.get("/webhooks")
    assert secret[0] not in listed.text
    assert listed.text.count("https://hooks.example.org/muster</span>") == 1


async def test_its_messages_are_listed_and_it_is_ended(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)
    await browser.post("/webhooks", data={"once": "w1", **FORM})
    listed = await browser.get("/webhooks")
    address = re.search(r'href="(/webhooks/[0-9a-f-]{36})"', listed.text)
    assert address

    assert "还没有发过消息" in words_of(await browser.get(address[1]))
    ended = await browser.post(f"{address[1]}/end", data={"once": "e1"})
    assert ended.headers["location"] == "/webhooks?done=webhook_ended"
    assert "推送已停用" in words_of(await browser.get(ended.headers["location"]))


async def test_what_is_wrong_with_an_address_stands_beside_it(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)
    for url in ("http://hooks.example.org/muster", "nowhere", "https://user:word@hooks.example.org/"):
        refused = await browser.post("/webhooks", data={"once": url, **FORM, "url": url})
        assert refused.status_code == 422
        assert f'value="{url}"' in refused.text
        assert 'aria-invalid="true"' in refused.text


async def test_a_webhook_that_never_was_is_not_there_and_a_service_away_is_said(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)

    assert (await browser.get(f"/webhooks/{LIANG_YUAN.id}")).status_code == 404
    gateway.down("notifications")
    assert (await browser.get("/webhooks")).status_code == 503
