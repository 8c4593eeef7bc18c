"""Checking in on the phone: the code at the site, wrong, twice, too early; the sheet with it; and the page of whoever leads."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.dispatch.tables import Shift, Site
from shared import clock
from shared.clock import set_now
from tests.gateway.deployment import coordinator
from tests.gateway.door import GatewayDoor, hidden, partial, words_of
from tests.people import GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, TANG_YINAN
from tests.services.deployment import assignment, is_on, knows_everybody, planned, shifts_of

SITES = [{"name": "东门", "leader_id": str(GU_CHANGTING.id)}, {"name": "西门"}]


class Day:
    """A morning at two gates, the first of them led; it begins at eight and is 07:40 now."""

    def __init__(self, operation: dict[str, Any], shifts: list[Shift], codes: list[str]) -> None:
        self.operation, self.shifts, self.codes = operation, shifts, codes
        self.site_id = operation["sites"][0]["id"]

    @property
    def lead(self) -> str:
        """The address of the leader's page."""
        return f"/attendance/{self.shifts[0].id}"


async def morning(gateway: GatewayDoor, **changes: Any) -> Day:
    dispatch = gateway.doors.dispatch
    await knows_everybody(dispatch)
    operation = await planned(dispatch, sites=SITES, **changes)
    async with dispatch.rows() as tx:
        codes = [(await tx.get_one(Site, UUID(one["id"]))).code for one in operation["sites"]]
    return Day(operation, await shifts_of(dispatch, operation), codes)


async def sent(browser: httpx.AsyncClient, page: str, path: str = "", **fields: str) -> httpx.Response:
    """A form of the page is sent, and what follows is read."""
    key = hidden(await browser.get(page), "once")
    return await browser.post(path or page, data={"once": key, **fields}, follow_redirects=True)


@pytest.mark.parametrize(("lang", "acts", "done"), [("zh-Hans", "签到", "已签到"), ("en", "Check in", "Checked in")])
async def test_the_code_leads_to_one_s_shift_and_one_tap_checks_in_and_another_out(
    gateway: GatewayDoor, lang: str, acts: str, done: str
) -> None:
    day = await morning(gateway)
    row_id = await is_on(gateway.doors.dispatch, day.shifts[0], LIANG_YUAN)
    browser, page = await gateway.browser(LIANG_YUAN, lang), f"/checkin/{day.codes[0]}"

    before = words_of(await browser.get(page))
    came = await sent(browser, page, assignment_id=str(row_id), act="in")
    set_now(day.shifts[0].starts_at + timedelta(hours=2))
    went = await sent(browser, page, assignment_id=str(row_id), act="out")

    assert acts in before
    assert "东门" in before
    assert done in words_of(came)
    assert (await assignment(gateway.doors.dispatch, row_id)).state == "checked_out"
    assert 'name="act"' not in went.text


async def test_checking_in_twice_says_so(gateway: GatewayDoor) -> None:
    day = await morning(gateway)
    row_id = await is_on(gateway.doors.dispatch, day.shifts[0], LIANG_YUAN)
    browser, page = await gateway.browser(LIANG_YUAN, "en"), f"/checkin/{day.codes[0]}"
    await sent(browser, page, assignment_id=str(row_id), act="in")

    again = await sent(browser, page, assignment_id=str(row_id), act="in")

    assert again.status_code == 409
    assert "Checked in already" in words_of(again)
    assert "Check out" in words_of(again)


async def test_at_the_wrong_site_one_reads_where_one_s_shift_is(gateway: GatewayDoor) -> None:
    day = await morning(gateway)
    row_id = await is_on(gateway.doors.dispatch, day.shifts[0], LIANG_YUAN)
    browser = await gateway.browser(LIANG_YUAN, "en")

    answer = await browser.get(f"/checkin/{day.codes[1]}")
    key = hidden(await browser.get(f"/checkin/{day.codes[0]}"), "once")
    forced = await browser.post(f"/checkin/{day.codes[1]}", data={"once": key, "assignment_id": str(row_id), "act": "in"})

    assert "You have no shift at this site now" in words_of(answer)
    assert "Your next shift: 东门 today" in words_of(answer)
    assert (forced.status_code, "does not belong to the site" in words_of(forced)) == (409, True)


async def test_a_code_of_nowhere_and_somebody_else_s_shift_record_nothing(gateway: GatewayDoor) -> None:
    day = await morning(gateway)
    foreign = await is_on(gateway.doors.dispatch, day.shifts[0], JIANG_CAIWEI)
    browser = await gateway.browser(LIANG_YUAN, "en")

    nowhere = await browser.get("/checkin/no%3Fsuch")
    own = await browser.get(f"/checkin/{day.codes[0]}")
    forced = await browser.post(f"/checkin/{day.codes[0]}", data={"once": "k", "assignment_id": str(foreign), "act": "in"})

    assert (nowhere.status_code, "This code belongs to no site" in words_of(nowhere)) == (404, True)
    assert "You have no shift at this site now" in words_of(own)
    assert forced.status_code == 404
    assert (await assignment(gateway.doors.dispatch, foreign)).state == "confirmed"


async def test_too_early_says_from_when(gateway: GatewayDoor) -> None:
    day = await morning(gateway)
    await is_on(gateway.doors.dispatch, day.shifts[1], LIANG_YUAN)

    words = words_of(await (await gateway.browser(LIANG_YUAN, "en")).get(f"/checkin/{day.codes[0]}"))

    assert "Checking in begins at 11:00" in words


async def test_the_sheet_with_the_code_is_for_who_leads_there(gateway: GatewayDoor) -> None:
    day = await morning(gateway)

    sheet = await (await gateway.browser(GU_CHANGTING, "en")).get(f"/sites/{day.site_id}/code")
    stranger = await (await gateway.browser(LIANG_YUAN)).get(f"/sites/{day.site_id}/code")

    assert f"/checkin/{day.codes[0]}" in words_of(sheet)
    assert 'class="qr"' in sheet.text
    assert stranger.status_code == 404


async def test_a_coordinator_makes_another_code_and_the_old_sheet_is_good_for_nothing(gateway: GatewayDoor) -> None:
    day = await morning(gateway)
    plans, sheet = await coordinator(gateway), f"/sites/{day.site_id}/code"

    led = await (await gateway.browser(GU_CHANGTING)).get(sheet)
    renewed = await sent(plans, sheet, sheet)
    old = await (await gateway.browser(LIANG_YUAN)).get(f"/checkin/{day.codes[0]}")

    assert f'action="{sheet}"' not in led.text
    assert "新码已生成" in words_of(renewed)
    assert f"/checkin/{day.codes[0]}" not in words_of(renewed)
    assert old.status_code == 404


async def test_who_leads_sees_who_is_missing_and_checks_them_in(gateway: GatewayDoor) -> None:
    day = await morning(gateway)
    row_id = await is_on(gateway.doors.dispatch, day.shifts[0], LIANG_YUAN, late=True)
    await is_on(gateway.doors.dispatch, day.shifts[0], JIANG_CAIWEI, "checked_in", checked_in_at=day.shifts[0].starts_at)
    set_now(day.shifts[0].starts_at + timedelta(minutes=20))
    browser = await gateway.browser(GU_CHANGTING, "en")

    before = words_of(await browser.get(day.lead))
    after = await sent(browser, day.lead, f"{day.lead}/checkin", assignment_id=str(row_id))

    assert "1 of 3 are there" in before
    assert before.index("Not there yet") < before.index(LIANG_YUAN.name) < before.index("There 1") < before.index(JIANG_CAIWEI.name)
    assert "Late" in before
    assert "2 of 3 are there" in words_of(after)


async def test_who_did_not_come_is_marked_and_a_walk_on_takes_the_place(gateway: GatewayDoor) -> None:
    day = await morning(gateway)
    row_id = await is_on(gateway.doors.dispatch, day.shifts[0], LIANG_YUAN, role="秩序")
    set_now(day.shifts[0].starts_at + timedelta(minutes=20))
    browser = await gateway.browser(GU_CHANGTING, "en")

    await sent(browser, day.lead, f"{day.lead}/noshow", assignment_id=str(row_id))
    found = await browser.get(f"{day.lead}?q={PAN_XIANGYE.name}")
    taken = await sent(browser, day.lead, f"{day.lead}/walkon", person_id=str(PAN_XIANGYE.id), role="秩序")
    twice = await sent(browser, day.lead, f"{day.lead}/walkon", person_id=str(TANG_YINAN.id), role="秩序")

    assert PAN_XIANGYE.department.name in words_of(found)
    assert "came unplanned" in words_of(taken)
    assert "Did not come 1" in words_of(taken)
    assert (twice.status_code, "All places of this role are taken" in words_of(twice)) == (409, True)


async def test_samples_are_entered_by_hour_and_a_wrong_number_stands_where_it_was_typed(gateway: GatewayDoor) -> None:
    day = await morning(gateway)
    set_now(day.shifts[0].starts_at + timedelta(hours=1, minutes=20))
    browser = await gateway.browser(GU_CHANGTING, "en")
    hour = {"site_id": day.site_id, "on": "2021-08-04", "hour": "9"}

    entered = await sent(browser, day.lead, f"{day.lead}/count", samples="180", **hour)
    wrong = await sent(browser, day.lead, f"{day.lead}/count", samples="-3", **hour)

    assert "together 180" in words_of(entered)
    assert "10:00–11:00" not in words_of(entered)
    assert wrong.status_code == 422
    assert 'value="-3"' in wrong.text


async def test_nobody_else_opens_the_leader_s_page_and_the_coordinator_does(gateway: GatewayDoor) -> None:
    day = await morning(gateway)
    await is_on(gateway.doors.dispatch, day.shifts[0], LIANG_YUAN)

    member = await (await gateway.browser(LIANG_YUAN)).get(day.lead)
    coordinates = await coordinator(gateway, "en")

    assert member.status_code == 403
    back = f'href="/shifts/{day.shifts[0].id}"'
    assert LIANG_YUAN.name in words_of(await coordinates.get(day.lead))
    assert back in (await coordinates.get(day.lead)).text
    assert back not in (await (await gateway.browser(GU_CHANGTING)).get(day.lead)).text  # to whom that page is closed
    assert (await coordinates.get(day.lead, headers=partial("people"))).text.lstrip().startswith('<section class="card" id="people"')


async def test_going_before_the_end_takes_two_taps_and_at_the_end_one(gateway: GatewayDoor) -> None:
    day = await morning(gateway)
    shift = day.shifts[0]
    await is_on(gateway.doors.dispatch, shift, LIANG_YUAN, "checked_in", checked_in_at=shift.starts_at)
    browser = await gateway.browser(LIANG_YUAN, "en")

    set_now(shift.starts_at + timedelta(hours=1))
    early = [await browser.get(path) for path in ("/", f"/checkin/{day.codes[0]}")]
    set_now(shift.ends_at + timedelta(minutes=20))
    after = [await browser.get(path) for path in ("/", f"/checkin/{day.codes[0]}")]

    assert ["Check out before the end" in words_of(answer) for answer in (*early, *after)] == [True, True, False, False]
    assert all(re.search(r"<button[^>]*main-act big full[^>]*>.*Check out</button>", answer.text) for answer in after)


async def test_whoever_forgot_to_check_out_is_checked_out_by_who_leads_at_the_time_they_went(gateway: GatewayDoor) -> None:
    day = await morning(gateway)
    shift = day.shifts[0]
    row_id = await is_on(gateway.doors.dispatch, shift, LIANG_YUAN, "checked_in", checked_in_at=shift.starts_at)
    set_now(shift.ends_at + timedelta(hours=6))
    mine, leads = await gateway.browser(LIANG_YUAN, "en"), await gateway.browser(GU_CHANGTING, "en")

    told = words_of(await mine.get(f"/checkin/{day.codes[0]}"))
    listed = words_of(await mine.get("/myshifts"))
    before = await leads.get(day.lead)
    odd = await sent(leads, day.lead, f"{day.lead}/checkout", assignment_id=str(row_id), at="yesterday")
    local = (shift.ends_at + timedelta(minutes=30)).astimezone(clock.zone())
    await sent(leads, day.lead, f"{day.lead}/checkout", assignment_id=str(row_id), at=local.strftime("%Y-%m-%dT%H:%M"))

    assert "You did not check out" in told
    assert "Not checked out" in listed
    assert f'value="{shift.ends_at.astimezone(clock.zone()):%Y-%m-%dT%H:%M}"' in before.text
    assert odd.status_code == 422
    assert (await assignment(gateway.doors.dispatch, row_id)).checked_out_at == shift.ends_at + timedelta(minutes=30)


@pytest.mark.parametrize(("lang", "corrected", "was"), [("zh-Hans", "更正，原为", "09:00 走"), ("en", "corrected by", "went 09:00")])
async def test_who_leads_corrects_a_check_out_and_the_person_reads_what_stood_before(
    gateway: GatewayDoor, lang: str, corrected: str, was: str
) -> None:
    day = await morning(gateway)
    shift = day.shifts[0]
    times: dict[str, Any] = {"checked_in_at": shift.starts_at, "checked_out_at": shift.starts_at + timedelta(hours=1)}
    row_id = await is_on(gateway.doors.dispatch, shift, LIANG_YUAN, "checked_out", **times)
    set_now(shift.ends_at + timedelta(hours=1))
    mine, leads = await gateway.browser(LIANG_YUAN, lang), await gateway.browser(GU_CHANGTING, lang)
    plans, action = await coordinator(gateway, lang), f"{day.lead}/correction"
    said = {"assignment_id": str(row_id), "checked_in_at": "2021-08-04T08:00", "reason": "点错了人"}

    wrong = await sent(leads, day.lead, action, checked_out_at="2021-08-04T07:00", **said)
    done = await sent(leads, day.lead, action, checked_out_at="2021-08-04T11:00", **said)
    told = [words_of(done), words_of(await mine.get("/myshifts")), words_of(await plans.get(f"/shifts/{shift.id}"))]

    assert wrong.status_code == 422
    assert re.search(r'name="checked_out_at"[^>]*value="2021-08-04T07:00"[^>]*aria-invalid', wrong.text)
    assert "点错了人" in wrong.text
    assert [(corrected in one, was in one, "点错了人" in one) for one in told] == [(True, True, True)] * 3
    assert (await assignment(gateway.doors.dispatch, row_id)).checked_out_at == shift.starts_at + timedelta(hours=3)


async def test_whoever_was_there_unseen_is_checked_in_after_the_shift_at_the_time_they_came(gateway: GatewayDoor) -> None:
    day = await morning(gateway)
    shift = day.shifts[0]
    row_id = await is_on(gateway.doors.dispatch, shift, LIANG_YUAN)
    set_now(shift.ends_at + timedelta(hours=1))
    leads = await gateway.browser(GU_CHANGTING, "en")

    before = await leads.get(day.lead)
    await sent(leads, day.lead, f"{day.lead}/checkin", assignment_id=str(row_id), at="2021-08-04T08:05")

    row = await assignment(gateway.doors.dispatch, row_id)
    assert 'name="at" type="datetime-local" value="2021-08-04T08:00"' in before.text
    assert (row.state, row.checked_in_at) == ("checked_in", shift.starts_at + timedelta(minutes=5))
