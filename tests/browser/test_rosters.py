"""The week in a real browser: filled by keyboard alone, checked while one types, printed on one sheet; without scripts from lists."""

import re
import time
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Screen, Screens
from tests.browser.test_stories import api, session_of

MONDAY = "2021-09-06"
WEEK = f"/rosters/{MONDAY}"
OFFICERS = 7  # the second row of the demo's posts, of which each day is a place; the gate is below it
PLANS = "明疏影"  # of no part of the cast, so that the cast stays as it is


def told(base: str, method: str, path: str, session: str, body: Any = None) -> httpx.Response:
    """A request that does not wait for what another service has not heard yet."""
    until = time.monotonic() + 20
    while True:
        answer = api(base, method, path, session, body)
        if answer.status_code not in (403, 404) or time.monotonic() > until:
            return answer
        time.sleep(0.05)


def session_of_planner(base: str) -> str:
    """The secret of a session of somebody who plans."""
    found = api(base, "GET", f"/personnel/people?q={PLANS}", session_of(base, "health")).json()["items"][0]["id"]
    told(base, "POST", "/identity/roles", session_of(base, "administrator"), {"person_id": found, "role": "duty_planner"})
    answer = httpx.post(f"{base}/api/v1/identity/demo/sessions", json={"person_id": found, "kind": "desk"}, trust_env=False)
    secret: str = answer.json()["secret"]
    told(base, "GET", "/duty/rosters/2021-09-06", f"Session {secret}")
    return secret


async def planner(screens: Screens, *, width: int = 1280, lang: str = "zh-Hans", scheme: str = "light", scripts: bool = True) -> Screen:
    """The screen of somebody who plans."""
    secret = session_of_planner(screens.base)
    screen = await screens.of(None, width=width, lang=lang, scheme=scheme, scripts=scripts)
    await screen.context.add_cookies([{"name": "muster", "value": secret, "url": screens.base}])
    return screen


async def focused(page: Page) -> str:
    """What the place is called in which the cursor stands."""
    return str(await page.evaluate("document.activeElement.getAttribute('aria-label')"))


async def test_a_week_is_filled_by_keyboard_alone(screens: Screens) -> None:
    screen = await planner(screens)
    page = screen.page
    await screen.open(f"{WEEK}/edit")
    first = page.locator("input[data-post]").nth(OFFICERS)
    await first.focus()

    await page.keyboard.type("songshiyu")
    await expect(page.locator("[role=option][aria-selected=true]")).to_contain_text("宋时雨")
    await page.keyboard.press("Enter")
    await expect(first).to_have_value("宋时雨")
    assert "9 月 7 日" in await focused(page)  # Enter took the first, and goes on
    await page.keyboard.type("宋时雨")
    await expect(page.locator("[role=option]")).to_have_count(1)
    await page.keyboard.press("Enter")

    wrong = page.locator("[data-place]").nth(OFFICERS + 1).locator(".say")
    await expect(wrong).to_be_visible(timeout=3000)
    await expect(wrong).to_contain_text("休息")
    await expect(page.locator("#findings")).to_contain_text("宋时雨")
    await page.keyboard.press("ArrowLeft")
    assert "9 月 7 日" in await focused(page)
    await page.keyboard.press("Backspace")
    await expect(wrong).to_be_hidden(timeout=3000)
    await page.keyboard.type("songshiyu")
    await page.keyboard.press("Enter")  # faster than the list
    await expect(page.locator("input[data-post]").nth(OFFICERS + 1)).to_have_value("宋时雨")
    assert "9 月 8 日" in await focused(page)
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Backspace")
    await page.keyboard.press("ArrowDown")
    assert "门岗" in await focused(page)
    await page.keyboard.press("ArrowDown")
    assert "第 2 位" in await focused(page)
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowLeft")
    assert "9 月 6 日" in await focused(page)
    assert "门岗" in await focused(page)
    await page.locator("button.main-act").focus()
    await page.keyboard.press("Enter")

    await expect(page.locator(".toast")).to_contain_text("已保存")
    await expect(page.locator("input[data-post]").nth(OFFICERS)).to_have_value("宋时雨")


async def test_a_published_week_is_checked_while_one_types_too(screens: Screens) -> None:
    screen = await planner(screens)
    await screen.open("/rosters/2021-08-09/edit")
    fields = screen.page.locator("input[data-post]")
    before = await fields.nth(OFFICERS + 3).input_value()
    await fields.nth(OFFICERS + 4).focus()
    await screen.page.keyboard.type(before)
    await expect(screen.page.locator("[role=option][aria-selected=true]")).to_contain_text(before)
    await screen.page.keyboard.press("Enter")

    wrong = screen.page.locator("[data-place]").nth(OFFICERS + 4).locator(".say")
    await expect(wrong).to_contain_text("休息", timeout=3000)
    assert "8 月 14 日" in await focused(screen.page)  # not thrown into the reason, which is still to be typed
    await screen.page.keyboard.type("查无此人")
    nobody = screen.page.locator("[data-place]").nth(OFFICERS + 5).locator(".say")
    await expect(screen.page.locator("#candidates")).to_be_visible()
    await expect(nobody).to_be_hidden()
    await screen.page.keyboard.press("Tab")
    await expect(nobody).to_contain_text("没有叫这个的", timeout=3000)


async def test_a_name_typed_and_not_chosen_is_found_when_it_is_saved(screens: Screens) -> None:
    screen = await planner(screens)
    await screen.open("/rosters/2021-09-13/edit")
    fields = screen.page.locator("input[data-post]")
    await fields.nth(OFFICERS + 2).fill("宋时雨")
    await screen.page.locator("button.main-act").click()

    await expect(screen.page.locator(".toast")).to_be_visible()
    await expect(fields.nth(OFFICERS + 2)).to_have_value("宋时雨")


async def test_without_scripts_places_are_chosen_from_lists(screens: Screens) -> None:
    screen = await planner(screens, scripts=False)
    page = screen.page
    await screen.open("/rosters/2021-09-20/edit")
    await page.locator("a[href$='plain=1']").click()
    place = page.locator("select[name^='pick.']").first
    await place.select_option(index=1)
    chosen = await place.input_value()
    await page.locator("button.main-act").click()

    await expect(page.locator("select[name^='pick.']").first).to_have_value(chosen)


@pytest.mark.parametrize(
    ("width", "lang", "scheme"),
    [pytest.param(390, "zh-Hans", "light", id="phone-zh-light"), pytest.param(1280, "en", "dark", id="desk-en-dark")],
)
async def test_no_page_of_duty_has_a_barrier_or_scrolls_sideways(screens: Screens, width: int, lang: str, scheme: str) -> None:
    screen = await planner(screens, width=width, lang=lang, scheme=scheme)
    wrong: list[str] = []
    screen.page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    screen.page.on("console", lambda said: wrong.append(f"console: {said.text}") if "Content Security Policy" in said.text else None)
    for path in ("/rosters", WEEK, f"{WEEK}?publish=1", f"{WEEK}/edit", f"{WEEK}/edit?plain=1", "/gaps", "/posts", "/posts/new", "/me"):
        await screen.open(path)
        wrong += [f"{path} {one}" for one in await screen.barriers()]
        if await screen.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"):
            wrong.append(f"{path} scrolls sideways")
    await screen.open(f"{WEEK}/edit")
    await screen.page.locator("input[data-post]").first.focus()
    await screen.page.keyboard.press("Control+a")
    await screen.page.keyboard.type("x")
    await expect(screen.page.locator("#candidates")).to_be_visible()
    wrong += [f"the list of candidates {one}" for one in await screen.barriers()]
    assert wrong == []


async def test_a_week_goes_onto_one_sheet_with_a_line_to_sign(screens: Screens) -> None:
    screen = await planner(screens)
    await screen.open(WEEK)

    paper = await screen.page.pdf(prefer_css_page_size=True)

    assert len(re.findall(rb"/Type\s*/Page[^s]", paper)) == 1
    await screen.page.emulate_media(media="print")
    await expect(screen.page.locator(".sign")).to_be_visible()
