"""What people do, in a real browser on the real system: a list becomes records, a dose appears by itself, a form survives its session."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from infra.reference.sheet import staff_list
from tests.browser.conftest import Screen, Screens
from tests.gateway.lists import ELSEWHERE, NEW, NO_NAME, WRONG, sheet


def api(base: str, method: str, path: str, authorization: str, body: Any = None, **headers: str) -> httpx.Response:
    return httpx.request(
        method, f"{base}/api/v1{path}", json=body, headers={"authorization": authorization, **headers}, timeout=20, trust_env=False
    )


def session_of(base: str, role: str, hint: str = "first") -> str:
    """The session of somebody of the cast, for the API."""
    cast = httpx.get(f"{base}/api/v1/identity/demo/cast", trust_env=False).json()["items"]
    person = next(one["person_id"] for one in cast if one["role"] == role and (role != "health" or one["hint"] == hint))
    answer = httpx.post(f"{base}/api/v1/identity/demo/sessions", json={"person_id": person, "kind": "phone"}, trust_env=False)
    return f"Session {answer.json()['secret']}"


def key_for(base: str, *scopes: str) -> str:
    """An API key with these scopes: made by the administrator; where it takes two, health records approve it and are shown it."""
    administrator, health = session_of(base, "administrator"), session_of(base, "health")
    wish = {"name": f"records {time.monotonic_ns()}", "scopes": list(scopes), "expires_on": "2022-07-31"}
    client = api(base, "POST", "/identity/clients", administrator, wish).json()
    found = api(base, "POST", f"/identity/clients/{client['id']}/keys", administrator, {}).json()["key"]
    shown = next(one for one in api(base, "GET", "/identity/clients", health).json()["items"] if one["id"] == client["id"])
    if shown["state"] == "waiting":
        verdict = {"verdict": "approved", "version": shown["version"]}
        approved = api(base, "POST", f"/identity/clients/{client['id']}/approval", health, verdict)
        assert approved.status_code == 200
        found = approved.json()["keys"][0]["key"]
    return f"Bearer {found}"


async def opened(screen: Screen, query: str) -> str:
    """Somebody's record is open; the id of the person."""
    await screen.open(f"/people?q={query}")
    await screen.page.locator("main tbody a:visible").first.click()
    await screen.page.wait_for_url(re.compile(r"/people"))
    href = await screen.page.locator("form[action$='/doses']").first.get_attribute("action")
    assert href
    return href.split("/")[2]


async def test_a_dose_sent_through_the_api_appears_on_an_open_page_within_two_seconds(screens: Screens) -> None:
    screen = await screens.of("health")
    key = key_for(screens.base, "vaccination:write")
    person_id = await opened(screen, "孟一舟")
    record = screen.page.locator("#record")
    await expect(record).to_contain_text("孟一舟")
    await screen.hears()
    dose = {"person_id": person_id, "product": "北京生物", "given_on": "2021-08-03", "lot": "LIVE-1"}

    first = api(screens.base, "POST", "/personnel/doses", key, dose, **{"idempotency-key": "live-1"})
    await expect(record).to_contain_text("LIVE-1", timeout=2000)
    again = api(screens.base, "POST", "/personnel/doses", key, dose, **{"idempotency-key": "live-1"})

    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert await record.get_by_text("LIVE-1").count() == 1


async def test_without_the_scope_and_without_the_key_nothing_is_recorded(screens: Screens) -> None:
    dose = {"person_number": "20140312", "product": "北京生物", "given_on": "2021-08-03"}

    refused = api(screens.base, "POST", "/personnel/doses", key_for(screens.base, "people:read"), dose)
    unknown = api(screens.base, "POST", "/personnel/doses", "Bearer muster_nothing", dose)

    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert (unknown.status_code, unknown.headers["content-type"]) == (401, "application/problem+json")


async def test_hr_records_a_dose_and_corrects_it_and_both_stay_readable(screens: Screens) -> None:
    screen = await screens.of("health")
    await opened(screen, "潘向野")
    page = screen.page
    form = page.locator("form[action$='/doses']")
    await page.locator("summary", has_text="补录一剂").click()
    await form.locator("[name=product]").select_option("covid19:bibp")
    await form.locator("[name=given_on]").fill("2021-08-02")
    await form.locator("[name=lot]").fill("WRONG-LOT")
    await form.locator("button.main-act").click()
    await expect(page.locator("#record")).to_contain_text("WRONG-LOT")

    await page.locator("#record a", has_text="更正第 1 剂").click()
    await page.locator("main [name=lot]").fill("RIGHT-LOT")
    await page.locator("main [name=note]").fill("批号抄错了")
    await page.locator("main form button.main-act").click()

    await expect(page.locator("#record")).to_contain_text("RIGHT-LOT")
    await expect(page.locator("#record")).to_contain_text("更正过 1 次")


async def test_a_staff_list_becomes_records(screens: Screens, tmp_path: Path) -> None:
    file = tmp_path / "名册.xlsx"
    file.write_bytes(sheet(NEW, WRONG, NO_NAME, ELSEWHERE))
    screen = await screens.of("health")
    page = screen.page
    await screen.open("/imports")
    await page.locator("input[type=file]").set_input_files(file)
    if await page.locator("form[enctype] button.main-act:visible").count():
        await page.locator("form[enctype] button.main-act").click()
    await page.wait_for_url(re.compile(r"/imports/[0-9a-f-]{36}"))

    commit = page.locator("form[action$='/commit'] button")
    await expect(commit).to_be_visible(timeout=20_000)
    words = await page.locator("main").inner_text()
    for said in ("喻知秋", "解云舒", "身份证"):
        assert said in words, words
    await commit.first.click()

    await expect(page.locator("main")).to_contain_text("已写入", timeout=20_000)
    await screen.open("/people?q=jianyinuo")
    await expect(page.locator("main tbody")).to_contain_text("简一诺")


async def test_the_demo_s_own_list_brought_again_changes_nothing(screens: Screens, tmp_path: Path) -> None:
    file = tmp_path / "again.xlsx"
    file.write_bytes(staff_list())
    base, health = screens.base, session_of(screens.base, "health")
    async with httpx.AsyncClient(base_url=f"{base}/api/v1", headers={"authorization": health}, timeout=20, trust_env=False) as http:
        begun = await http.post("/personnel/imports", files={"file": (file.name, file.read_bytes())})
        found = begun.json()
        until = time.monotonic() + 30
        while found["state"] == "reading" and time.monotonic() < until:
            await asyncio.sleep(0.1)
            found = (await http.get(f"/personnel/imports/{begun.json()['id']}")).json()

    counts = found["counts"]
    assert counts["new"] == 0
    assert counts["same"] + counts["changed"] + counts["refused"] == counts["rows"] == 120
    assert counts["refused"] == 0


@pytest.mark.parametrize(("next_one", "given_back"), [("everyone", "第二针的日期不对"), ("agency", "")])
async def test_what_was_typed_waits_for_whoever_typed_it_when_the_session_ends(screens: Screens, next_one: str, given_back: str) -> None:
    screen = await screens.of("everyone", width=390)
    page = screen.page
    await page.locator("summary", has_text="报告错误").click()
    form = page.locator("form[action='/me/remarks']")
    await form.locator("label", has_text="剂次").first.click()
    await form.locator("[name=text]").fill("第二针的日期不对")
    cookies = await screen.context.cookies()
    await screen.context.clear_cookies()
    await screen.context.add_cookies([one for one in cookies if one["name"] == "lang"])  # type: ignore[misc]

    await form.locator("button.main-act").click()
    await page.wait_for_url(re.compile("/signin"))
    await page.locator(".cast button", has_text=screens.name_of(next_one)).first.click()
    await page.wait_for_url(lambda url: "/signin" not in url)

    await expect(page.locator("form[action='/me/remarks'] [name=text]")).to_have_value(given_back)


async def test_the_main_ways_work_without_scripts(screens: Screens) -> None:
    screen = await screens.of("health", scripts=False)
    page = screen.page
    await screen.open("/people?q=jiangcaiwei")
    await page.locator("main tbody a:visible").first.click()
    await page.locator("summary", has_text="补录一剂").click()
    form = page.locator("form[action$='/doses']")
    await form.locator("[name=product]").select_option("covid19:bibp")
    await form.locator("[name=given_on]").fill("2021-02-19")  # is on record already

    await form.locator("button.main-act").click()

    await expect(page.locator("form[action$='/doses'] [data-refusal]")).to_be_visible()
    await expect(page.locator("form[action$='/doses'] [name=given_on]")).to_have_value("2021-02-19")


@pytest.mark.parametrize("path", ["/coverage", "/coverage/urge", "/people"])
async def test_a_page_goes_to_paper(screens: Screens, path: str) -> None:
    screen = await screens.of("health")
    await screen.open(path)

    paper = await screen.page.pdf(format="A4")

    assert paper.startswith(b"%PDF")
    await screen.page.emulate_media(media="print")
    assert not await screen.page.locator(".nav").is_visible()
