"""What staff do on the phone, in a real browser: received, cannot come, signed up, checked in; the board shows it by itself; no signal."""

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Screen, Screens
from tests.browser.test_stories import api, session_of

PHONE = 390
ASKED, OPEN = "信息登记", "秩序维护"


class Morning:
    """An operation of this test's own: it begins in half an hour by the demo's clock, and the one on the phone is asked for it."""

    def __init__(self, base: str, name: str) -> None:
        self.base, self.name = base, name
        self.coordinator = session_of(base, "coordinator")
        self.operation = self._planned()
        board = self.get(f"/dispatch/operations/{self.operation['id']}/board?on={self.operation['from_on']}")
        self.shifts = board["sites"][0]["shifts"]
        who = self.get(f"/dispatch/shifts/{self.shifts[0]['id']}/candidates")["items"][0]
        assert who["fit"], who
        self.person_id = who["person"]["id"]
        self.code = self.get(f"/dispatch/sites/{board['sites'][0]['id']}/code")["code"]

    def get(self, path: str) -> Any:
        """What the coordinator reads."""
        return api(self.base, "GET", path, self.coordinator).json()

    def post(self, path: str, body: Any = None, authorization: str = "") -> Any:
        """What the coordinator does."""
        key = {"idempotency-key": str(uuid4())}
        answer = api(self.base, "POST", path, authorization or self.coordinator, body, **key)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def _planned(self) -> Any:
        clock = datetime.fromisoformat(httpx.get(f"{self.base}/api/v1/identity/demo/clock", trust_env=False).json()["local"])
        begins = clock + timedelta(minutes=30)
        ends = begins + timedelta(hours=1)
        on = begins.date().isoformat()
        wish = {
            "name": self.name,
            "kind": "testing",
            "place": "学院广场",
            "from_on": on,
            "until_on": on,
            "sites": [{"name": f"{self.name} 点位"}],
            "pattern": {
                "times": [[f"{begins:%H:%M}", f"{ends:%H:%M}"]],
                "roles": [{"name": ASKED, "head_count": 2}, {"name": OPEN, "head_count": 1}],
                "signup": True,
            },
        }
        made = self.post("/dispatch/operations", wish)
        return self.post(f"/dispatch/operations/{made['id']}/opening")

    def ask(self) -> None:
        """The one on the phone is asked for the shift."""
        self.post("/dispatch/assignments", {"shift_id": self.shifts[0]["id"], "role": ASKED, "person_ids": [self.person_id]})


def phone_session(base: str, person_id: str) -> str:
    """A session on somebody's own phone."""
    body = {"person_id": person_id, "kind": "phone"}
    return str(httpx.post(f"{base}/api/v1/identity/demo/sessions", json=body, trust_env=False).json()["secret"])


async def phone_of(screens: Screens, person_id: str) -> Screen:
    """Somebody's own phone, signed in, on the first page."""
    phone = await screens.of(None, width=PHONE)
    await phone.context.add_cookies([{"name": "muster", "value": phone_session(screens.base, person_id), "url": screens.base}])
    await phone.open("/")
    return phone


async def at_the_board(screens: Screens, morning: Morning) -> Screen:
    """The coordinator's board is open, and its stream with it."""
    board = await screens.of("coordinator")
    await board.open(f"/operations/{morning.operation['id']}/board?on={morning.operation['from_on']}")
    await board.hears()
    return board


async def choose_reason(page: Page) -> None:
    await page.locator("#next details summary").click()
    await page.locator("#next details button[name=reason]").first.click()


async def test_received_checked_in_and_the_board_shows_each_within_two_seconds(screens: Screens) -> None:
    morning = Morning(screens.base, "晨间采样")
    morning.ask()
    board = await at_the_board(screens, morning)
    live = board.page.locator("#live")
    await expect(live).to_contain_text("等回复 1")
    phone = await phone_of(screens, morning.person_id)
    card = phone.page.locator("#next article")
    await expect(card).to_contain_text("晨间采样 点位")
    received = card.get_by_role("button", name="收到，我会到")
    box = await received.bounding_box()
    assert box
    assert box["y"] + box["height"] < 844 - 60, "the first button shows without scrolling"

    await received.click()
    await expect(live).not_to_contain_text("等回复 1", timeout=2000)
    await phone.open(f"/checkin/{morning.code}")
    await phone.page.get_by_role("button", name="签到").click()
    await expect(live.locator(".pips i:not([class])").first).to_be_visible(timeout=2000)

    await expect(phone.page.locator("#here")).to_contain_text("已到岗")
    await phone.open("/")
    await phone.page.locator("#going summary").click()  # it goes on for a while: a tap by mistake does not end it
    await phone.page.locator("#next").get_by_role("button", name="签退").click()
    await expect(phone.page.locator("#next")).not_to_contain_text("晨间采样 点位")


async def test_cannot_come_takes_two_taps_and_opens_the_place_on_the_board(screens: Screens) -> None:
    morning = Morning(screens.base, "午前采样")
    morning.ask()
    board = await at_the_board(screens, morning)
    phone = await phone_of(screens, morning.person_id)
    await expect(phone.page.locator("#next article")).to_contain_text("午前采样 点位")

    await choose_reason(phone.page)
    await expect(board.page.locator("#live")).not_to_contain_text("等回复 1", timeout=2000)

    await expect(phone.page.locator("#next")).not_to_contain_text("午前采样 点位")


async def test_one_signs_up_in_one_tap_and_takes_it_back(screens: Screens) -> None:
    morning = Morning(screens.base, "补充采样")
    phone = await phone_of(screens, morning.person_id)
    await phone.open("/myshifts")
    row = phone.page.locator("#open li", has_text="补充采样 点位")

    await row.locator("button", has_text=OPEN).click()
    note = phone.page.locator("#mine .note.ok")
    await expect(note).to_contain_text("补充采样 点位")
    await note.get_by_role("button", name="撤回").click()

    await expect(phone.page.locator("#mine .note.ok")).to_have_count(0)
    await expect(row).to_have_count(1)
    assert morning.shifts


async def test_a_tap_whose_answer_is_lost_is_said_and_counts_once(screens: Screens) -> None:
    morning = Morning(screens.base, "雨中采样")
    phone = await phone_of(screens, morning.person_id)
    await phone.open("/myshifts")
    row = phone.page.locator("#open li", has_text="雨中采样 点位")
    button = row.locator("button", has_text=OPEN)
    arrived, answers = asyncio.Event(), asyncio.Event()

    async def lost(route: Route) -> None:
        await route.fetch(max_redirects=0)
        arrived.set()
        await answers.wait()
        await route.abort()

    await phone.page.route("**/myshifts/signup", lost, times=1)
    await phone.page.evaluate("document.querySelectorAll('[data-live]').forEach(one => one.removeAttribute('data-live'))")

    await button.click(no_wait_after=True)
    await arrived.wait()
    await expect(button).to_have_attribute("aria-busy", "true")
    answers.set()
    await expect(phone.page.locator("#toasts")).to_contain_text("没有收到回应")
    await expect(button).not_to_have_attribute("aria-busy", "true")
    await button.click()
    await expect(phone.page.locator("#mine .note.ok")).to_contain_text("雨中采样 点位")

    on_it = morning.get(f"/dispatch/shifts/{morning.shifts[0]['id']}")["assignments"]
    assert [(one["person"]["id"], one["state"]) for one in on_it] == [(morning.person_id, "confirmed")]


async def test_what_who_leads_has_opened_stays_open_whatever_others_do(screens: Screens) -> None:
    morning = Morning(screens.base, "两人值守")
    shift = morning.shifts[0]["id"]
    fit = [one["person"]["id"] for one in morning.get(f"/dispatch/shifts/{shift}/candidates")["items"] if one["fit"]][:2]
    asked = morning.post("/dispatch/assignments", {"shift_id": shift, "role": ASKED, "person_ids": fit})["done"]
    for one in asked:
        morning.post(f"/dispatch/assignments/{one['id']}/checkin", {})
    leads = await screens.of("coordinator", width=PHONE, lang="en")
    await leads.open(f"/attendance/{shift}")
    await leads.hears()
    mine = leads.page.locator(f"#correct_{asked[0]['id']}")
    await mine.locator("summary").click()
    await mine.locator("textarea").fill("点错了人")
    await leads.page.locator("h1").click()

    morning.post(f"/dispatch/assignments/{asked[1]['id']}/checkout", {})

    await expect(leads.page.locator("#people")).to_contain_text("Gone")
    await expect(mine).to_have_attribute("open", "")
    await expect(mine.locator("textarea")).to_have_value("点错了人")


async def kept(page: Page) -> str:
    """What the phone keeps for when there is no signal."""
    found: str = await page.evaluate(
        "async () => { const found = await (await caches.open('muster-first-page')).match('/'); return found ? await found.text() : '' }"
    )
    return found


async def until_kept(page: Page) -> str:
    for _ in range(50):
        if text := await kept(page):
            return text
        await page.wait_for_timeout(100)
    return ""


@pytest.fixture
async def on_the_phone(screens: Screens) -> Screen:
    """Somebody's own phone, on which the first page was kept."""
    phone = await phone_of(screens, Morning(screens.base, "在手机上").person_id)
    assert await until_kept(phone.page)
    return phone


async def test_without_signal_the_first_page_says_when_it_was_fetched_and_holds_no_record(on_the_phone: Screen) -> None:
    page = on_the_phone.page
    await expect(page.locator("[data-away]")).to_be_hidden()

    await on_the_phone.context.set_offline(True)
    await page.reload()

    await expect(page.locator("[data-away]")).to_be_visible()
    await expect(page.locator("[data-away]")).to_contain_text(re.compile(r"没有网络。这是 .*\d\d:\d\d 的内容"))
    assert await page.locator("h1").count() == 1
    assert await page.locator("#record, #looks").count() == 0
    assert await page.evaluate("getComputedStyle(document.querySelector('.band')).position") == "sticky"


async def test_without_signal_every_other_page_says_so_and_leads_to_the_first_one(on_the_phone: Screen) -> None:
    page = on_the_phone.page
    kept = "async () => (await (await caches.open('muster-first-page')).match('/offline')).text()"
    await page.wait_for_function(f"async () => Boolean(await ({kept})().catch(() => 0))")
    mine = await page.evaluate("document.body.dataset.me")
    text = await page.evaluate(kept)

    await on_the_phone.context.set_offline(True)
    await on_the_phone.open("/myshifts")
    said = await page.locator("main").inner_text()
    barriers = await on_the_phone.barriers()
    await page.locator("a[href='/']").click()
    await expect(page.locator("[data-away]")).to_be_visible()
    await page.go_back()
    await expect(page.locator("[data-no-signal]")).to_be_visible()
    await on_the_phone.context.set_offline(False)

    assert "没有网络" in said
    assert "没有发出去" not in said
    assert barriers == []
    assert mine not in text
    await expect(page.locator("#calendar")).to_be_visible()  # by itself, once there is a network again


async def test_what_was_sent_without_signal_stands_in_its_form_again_and_counts_once(on_the_phone: Screen) -> None:
    page = on_the_phone.page
    await page.wait_for_function("async () => Boolean(await (await caches.open('muster-first-page')).match('/offline'))")
    await on_the_phone.open("/")
    form = page.locator("form[action='/me/remarks']")
    await form.evaluate("form => form.closest('details')?.setAttribute('open', '')")
    key = await form.locator("[name=once]").input_value()
    await form.evaluate("form => { const plain = form.cloneNode(true); plain.removeAttribute('hx-post'); form.replaceWith(plain) }")
    await form.evaluate("form => { form.querySelector('[type=radio]').checked = true }")
    await form.locator("textarea").fill("我的工号写错了")

    await on_the_phone.context.set_offline(True)
    await form.evaluate("form => form.requestSubmit()")
    await expect(page.locator("[data-unsent]")).to_be_visible()
    await on_the_phone.context.set_offline(False)
    await page.wait_for_url(lambda url: url.rstrip("/") == on_the_phone.base)

    await expect(form.locator("textarea")).to_have_value("我的工号写错了")
    assert await form.locator("[name=once]").input_value() == key
    await expect(page.locator("#toasts")).to_contain_text("没有发出去的内容已经填回")


async def test_signing_out_takes_the_kept_page_from_a_shared_phone(on_the_phone: Screen) -> None:
    page = on_the_phone.page
    await on_the_phone.open("/me")
    await page.locator("form[action='/signout'] button:visible").first.click()
    await page.wait_for_url(re.compile("/signin"))

    assert await kept(page) == ""
    await on_the_phone.context.set_offline(True)
    with pytest.raises(Exception, match=r"ERR_INTERNET_DISCONNECTED|ERR_FAILED"):
        await on_the_phone.open("/")


async def test_whoever_comes_in_by_a_code_does_not_find_the_first_page_of_who_was_here(on_the_phone: Screen) -> None:
    await on_the_phone.open("/activate/ABCDE-12345")
    await on_the_phone.page.wait_for_timeout(300)

    assert await kept(on_the_phone.page) == ""
