"""A day staffed by one coordinator in a real browser: counted in clicks and pages; every page on the way, on a phone and at a desk."""

import re
import time
from typing import Any

import httpx
import pytest
from playwright.async_api import Locator, Page, Response, expect

from tests.browser.conftest import Screen, Screens
from tests.browser.test_every_page import LOOKS, SMALLEST
from tests.browser.test_stories import api, session_of

COORDINATES = "麦谷雨"  # of no part of the cast, so that the cast stays as it is
TEAM = "核酸采样支援队"
DAY = "2021-08-24"  # nobody of the demo is on duty yet
MOST = 40  # clicks and pages, for 108 places
SITES = ("青禾 1 号点", "青禾 2 号点", "青禾 3 号点", "石桥 1 号点", "石桥 2 号点", "柳渡村点")


class Hands:
    """What somebody does with a page, counted: each click, and each page that is loaded. To type, one clicks into the field first."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.loads = page, 0, 0
        page.on("response", self._loaded)

    def _loaded(self, answer: Response) -> None:
        request = answer.request
        self.loads += request.is_navigation_request() and answer.status < 300

    async def click(self, where: Locator) -> None:
        self.clicks += 1
        await where.click()

    async def write(self, name: str, text: str) -> None:
        await self.click(self.page.locator(f"[name={name}]"))
        await self.page.keyboard.insert_text(text)

    async def choose(self, name: str, words: str) -> None:
        self.clicks += 2  # opens the list, and picks
        field = self.page.locator(f"[name={name}]")
        option = field.locator("option", has_text=words)
        await field.select_option(await option.get_attribute("value"))


def told(base: str, method: str, path: str, session: str, body: Any = None) -> httpx.Response:
    """A request that waits until every service has heard what the one before it changed."""
    until = time.monotonic() + 20
    while True:
        answer = api(base, method, path, session, body)
        if answer.status_code != 403 or time.monotonic() > until:
            return answer
        time.sleep(0.05)


def signed_in(base: str, person_id: str) -> str:
    """The secret of a session of somebody's."""
    answer = httpx.post(f"{base}/api/v1/identity/demo/sessions", json={"person_id": person_id, "kind": "desk"}, trust_env=False)
    return str(answer.json()["secret"])


def coordinating(base: str) -> tuple[str, str]:
    """The secret of a session of somebody who coordinates, and a team of all whose vaccination is complete: its id."""
    health = session_of(base, "health")
    found = api(base, "GET", f"/personnel/people?q={COORDINATES}", health).json()["items"][0]["id"]
    told(base, "POST", "/identity/roles", session_of(base, "administrator"), {"person_id": found, "role": "coordinator"})
    secret = signed_in(base, found)
    teams = told(base, "GET", "/dispatch/teams", f"Session {secret}").json()["items"]
    if known := [one["id"] for one in teams if one["name"] == TEAM]:
        return secret, known[0]
    people = api(base, "GET", "/personnel/people?page_size=200&standing=complete", health).json()["items"]
    formed = told(base, "POST", "/dispatch/teams", f"Session {secret}", {"name": TEAM, "member_ids": [one["id"] for one in people]})
    assert formed.status_code == 201, formed.text
    return secret, str(formed.json()["id"])


async def coordinator(screens: Screens, *, width: int = 1280, lang: str = "zh-Hans", scheme: str = "light") -> Screen:
    """The screen of somebody who coordinates."""
    secret, _ = coordinating(screens.base)
    screen = await screens.of(None, width=width, lang=lang, scheme=scheme)
    await screen.context.add_cookies([{"name": "muster", "value": secret, "url": screens.base}])
    return screen


async def staffed(hands: Hands, base: str, name: str) -> str:
    """An operation is planned, filled and open: its address. Its day is written; tomorrow stands there already, four clicks less."""
    page = hands.page
    await page.goto(base + "/operations")
    await hands.click(page.locator("main .head a.main-act"))
    await hands.write("name", name)
    await hands.write("place", "青禾、石桥")
    for name_of_day in ("from_on", "until_on"):
        await hands.click(page.locator(f"[name={name_of_day}]"))
        hands.clicks += 1  # as if it were picked from a calendar
        await page.locator(f"[name={name_of_day}]").fill(DAY)
    await hands.choose("requirement", "核酸采样点")
    await hands.write("sites", "\n".join(SITES))
    for row, (role, count) in enumerate((("信息登记", 3), ("样本扫码", 2), ("秩序引导", 1))):
        await hands.write(f"role_{row}", role)
        await hands.write(f"count_{row}", str(count))
    await hands.click(page.locator("main form button.main-act"))
    await expect(page.locator("#day")).to_contain_text("108 个位置")
    address = re.sub(r"\?.*", "", page.url)
    await hands.choose("team_id", TEAM)
    await hands.click(page.locator("form[action$='/filling'] button.main-act"))
    await expect(page.locator("main")).to_contain_text("将派工 108 人次")
    await hands.click(page.locator("form[action$='/filling'] button.main-act"))
    await expect(page.locator("#day")).to_contain_text("还缺 0")
    await hands.click(page.locator("form[action$='/opening'] button"))
    await expect(page.locator(".toasts")).to_contain_text("行动已开放")
    return address


async def test_six_sites_three_shifts_six_people_are_staffed_with_few_hands(screens: Screens) -> None:
    screen = await coordinator(screens)
    hands = Hands(screen.page)

    address = await staffed(hands, screens.base, "青禾、石桥全员核酸")

    print(f"{hands.clicks} clicks, {hands.loads} pages")
    assert hands.clicks + hands.loads <= MOST
    assert hands.loads >= 6  # the counter counts
    slots = await screen.page.locator("#day a.slot").all_inner_texts()
    assert len(slots) == 18
    assert all("0/6" in one and "等回复 6" in one for one in slots), slots
    assert address.startswith(f"{screens.base}/operations/")
    await screen.page.set_viewport_size({"width": 1920, "height": 1080})
    await screen.page.goto(f"{address}/board?on={DAY}&wall=1")
    assert await screen.page.evaluate("document.documentElement.scrollHeight") <= 1080  # nobody scrolls a wall


def operation_of(base: str, secret: str) -> dict[str, Any]:
    """An open operation whose first day is filled."""
    _, team = coordinating(base)
    name = "看一看"
    found = [one for one in api(base, "GET", "/dispatch/operations", f"Session {secret}").json()["items"] if one["name"] == name]
    if not found:
        days = {"from_on": "2021-08-26", "until_on": "2021-08-28"}
        roles = [{"name": "信息登记", "head_count": 3}, {"name": "秩序引导", "head_count": 2}]
        pattern = {"times": [["08:00", "14:00"], ["20:00", "02:00"]], "roles": roles, "signup": True}
        sites = [{"name": "东门采样点", "address": "东门停车场"}, {"name": "西门采样点"}]
        wish = {
            "name": name,
            "kind": "testing",
            "place": "林语社区",
            "requirement": "testing_point",
            "sites": sites,
            "pattern": pattern,
            **days,
        }
        api(base, "POST", "/dispatch/operations", f"Session {secret}", wish)
        found = [one for one in api(base, "GET", "/dispatch/operations", f"Session {secret}").json()["items"] if one["name"] == name]
        fill = {"operation_id": found[0]["id"], "on": "2021-08-26", "team_id": team, "preview": False}
        api(base, "POST", "/dispatch/assignments/filling", f"Session {secret}", fill)
        api(base, "POST", f"/dispatch/operations/{found[0]['id']}/opening", f"Session {secret}")
    return dict(found[0])


async def test_who_declines_is_seen_on_the_open_page_and_replaced_in_two_taps(screens: Screens) -> None:
    screen = await coordinator(screens)
    secret, _ = coordinating(screens.base)
    hands = Hands(screen.page)
    operation = operation_of(screens.base, secret)
    address = f"/operations/{operation['id']}?on=2021-08-26"
    await screen.open(address)
    link = await screen.page.locator("#day a.slot").first.get_attribute("href")
    shift = api(screens.base, "GET", f"/dispatch{link}", f"Session {secret}").json()
    who = next(one for one in shift["assignments"] if one["state"] == "proposed")
    person = signed_in(screens.base, who["person"]["id"])
    await screen.hears()
    await expect(screen.page.locator("#day")).to_contain_text("还缺 0")

    no = {"answer": "decline", "reason": "家中有事"}
    answered = api(screens.base, "POST", f"/dispatch/assignments/{who['id']}/answer", f"Session {person}", no)
    await expect(screen.page.locator("#day")).to_contain_text("还缺 1", timeout=4000)
    await hands.click(screen.page.locator("nav a[href='/openings']"))
    await expect(screen.page.locator("#openings")).to_contain_text(f"{who['person']['name']}来不了。")
    places = screen.page.locator("#openings section", has_text=f"{operation['name']} · ")
    place = places.filter(has_text=f"{who['person']['name']}来不了。")
    await hands.click(place.locator("form button").first)
    await expect(screen.page.locator(".toasts")).to_contain_text("已派工补位")

    assert answered.status_code == 200
    assert hands.clicks == 2
    await screen.open(address)
    await expect(screen.page.locator("#day")).to_contain_text("还缺 0")


@pytest.mark.parametrize("width, lang, scheme", LOOKS)
async def test_no_page_of_a_coordinator_has_a_barrier_or_scrolls_sideways(screens: Screens, width: int, lang: str, scheme: str) -> None:
    secret, team = coordinating(screens.base)
    operation = operation_of(screens.base, secret)
    screen = await coordinator(screens, width=width, lang=lang, scheme=scheme)
    place = f"/operations/{operation['id']}"
    await screen.open(f"{place}?on=2021-08-26")
    shift = await screen.page.locator("#day a.slot").first.get_attribute("href")
    await screen.open(f"{place}?on=2021-08-28")
    empty_shift = await screen.page.locator("#day a.slot").first.get_attribute("href")
    await screen.open(f"{place}/more")
    site = await screen.page.locator(f"main a[href^='{place}/sites/']").first.get_attribute("href")
    wrong: list[str] = []
    for path in (
        *("/teams", "/teams/new", f"/teams/{team}", f"/teams/{team}/edit", "/openings", "/operations", "/operations/new"),
        *(f"{place}?on=2021-08-26", f"{place}?on=2021-08-27", f"{place}/edit", f"{place}/more?on=2021-08-26"),
        *(f"{place}/print?on=2021-08-26", f"{place}/filling?on=2021-08-27&team_id={team}", str(site)),
        *(str(shift), f"{shift}?q=nobody-is-called-so", f"{shift}/edit", f"{empty_shift}?role=秩序引导"),
    ):
        await screen.open(path)
        wrong += [f"{path} {one}" for one in await screen.barriers()]
        if width < 400:
            await screen.page.set_viewport_size({"width": SMALLEST, "height": 700})
            if await screen.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"):
                wrong.append(f"{path} scrolls sideways on the smallest phone")
            await screen.page.set_viewport_size({"width": width, "height": 844})
    assert wrong == []
