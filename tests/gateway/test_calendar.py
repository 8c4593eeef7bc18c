"""The calendar link: made on one's own page, shown once with a code to take in, read without signing in, ended."""

import re

from tests.gateway.door import GatewayDoor, words_of
from tests.gateway.duties import planner
from tests.people import GU_CHANGTING, LIANG_YUAN
from tests.services.duties import published


async def test_a_link_is_shown_once_read_by_a_calendar_and_ended(gateway: GatewayDoor) -> None:
    await planner(gateway)
    await published(gateway.doors.duty)
    browser, calendar = await gateway.browser(LIANG_YUAN), gateway.stranger()

    made = await browser.post("/me/feeds")
    path = re.search(r"(/calendar/[\w-]+\.ics)", made.text)
    assert path
    read = await calendar.get(path[1])
    account = await browser.get("/me")
    end = re.search(r'action="(/me/feeds/[^"]+/end)"', account.text)
    assert end
    ended = await browser.post(end[1])

    assert 'class="qr"' in made.text
    assert made.headers["cache-control"] == "no-store"
    assert read.headers["content-type"].startswith("text/calendar")
    assert read.text.count("BEGIN:VEVENT") == 3
    assert path[1] not in account.text
    assert ended.headers["location"] == "/me?done=feed_ended"
    assert (await calendar.get(path[1])).status_code == 404


async def test_what_is_no_secret_is_not_there_and_nobody_ends_the_link_of_another(gateway: GatewayDoor) -> None:
    browser, other = await gateway.browser(LIANG_YUAN), await gateway.browser(GU_CHANGTING)
    await browser.post("/me/feeds")
    end = re.search(r'action="(/me/feeds/[^"]+/end)"', (await browser.get("/me")).text)
    assert end

    await other.post(end[1])

    assert end[1] in (await browser.get("/me")).text
    for wrong in ("x", "a%2fb" * 10, "..%2f..%2fposts", "0" * 43):
        assert (await gateway.stranger().get(f"/calendar/{wrong}.ics")).status_code == 404


async def test_too_many_links_and_a_service_that_is_away_are_said_on_the_card(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN)
    for _ in range(5):
        await browser.post("/me/feeds")

    one_more = await browser.post("/me/feeds")
    gateway.down("duty")
    away, account = await browser.post("/me/feeds"), await browser.get("/me")

    assert one_more.status_code == 409
    assert "5" in words_of(one_more)
    assert away.status_code == 503
    assert account.status_code == 200
    assert "你的日历链接" in words_of(account)
