"""A service that hangs is no different from one that is down: the page says soon which part is missing; one that works on is waited for."""

import asyncio

import httpx
import pytest

from gateway import services, session
from tests.gateway.door import GatewayDoor, words_of
from tests.people import HE_RUONING, ZHONG_YIFAN


class Hangs(httpx.AsyncBaseTransport):
    """A service that takes requests and answers none; or only at its door, and with a file when it is ready."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds, self.knocks, self.asked = seconds, 0, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.seconds is None:
            await asyncio.sleep(request.extensions["timeout"]["read"])
            raise httpx.ReadTimeout("silence")
        if request.url.path == "/livez":
            self.knocks += 1
            return httpx.Response(200, json={"status": "ok"})
        await asyncio.sleep(self.seconds)
        return httpx.Response(200, json={"name": "late"})


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is a hundredth."""
    monkeypatch.setattr(services, "CALL_SECONDS", 0.012)
    monkeypatch.setattr(services, "KNOCK_SECONDS", 0.04)


@pytest.mark.parametrize("path", ["/people", "/people/export", "/coverage/export"])
async def test_nobody_waits_for_a_service_that_hangs_and_the_page_names_it(gateway: GatewayDoor, quickly: None, path: str) -> None:
    browser = await gateway.browser(HE_RUONING, "en")
    await browser.get("/")
    services.personnel.connect(Hangs(), "http://service")

    async with asyncio.timeout(5):  # a file alone would be waited for a minute
        answer = await browser.get(path)

    assert answer.status_code == 503
    assert "People and health records cannot be reached now" in words_of(answer)


async def test_a_file_that_takes_its_time_is_waited_for_while_its_service_answers_the_door(gateway: GatewayDoor, quickly: None) -> None:
    browser = await gateway.browser(HE_RUONING)
    slow = Hangs(seconds=0.3)
    services.personnel.connect(slow, "http://service")

    answer = await browser.get("/people/export")

    assert (answer.status_code, answer.json()) == (200, {"name": "late"})
    assert slow.knocks


async def test_an_outside_system_is_told_at_once_to_come_again(gateway: GatewayDoor, quickly: None) -> None:
    secret = (await gateway.browser(ZHONG_YIFAN)).cookies["muster"]
    outside = gateway.stranger()
    services.personnel.connect(Hangs(), "http://service")

    async with asyncio.timeout(5):
        answer = await outside.get("/api/v1/personnel/institution", headers={"authorization": f"Session {secret}"})

    assert (answer.status_code, answer.json()["code"]) == (503, "not_available")
    assert answer.headers["retry-after"]


async def test_who_is_known_does_not_wait_at_each_page_for_an_identity_that_hangs(
    gateway: GatewayDoor, quickly: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await gateway.browser(HE_RUONING, "en")
    await browser.get("/")
    monkeypatch.setattr(session, "FRESH_SECONDS", -1)
    hangs = Hangs()
    services.identity.connect(hangs, "http://service")

    pages = [await browser.get("/menu") for _ in range(4)]

    assert [one.status_code for one in pages] == [200] * 4
    assert all("Signing in cannot be reached now" in one.text for one in pages)
    assert hangs.asked == 1
