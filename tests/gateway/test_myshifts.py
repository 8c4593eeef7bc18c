"""One's own shifts: signed up in one tap and undone, answered, in one line with duties, and the hours that add up."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.dispatch.tables import Assignment, Shift
from shared.clock import set_now
from tests.gateway.deployment import operation_tomorrow
from tests.gateway.door import GatewayDoor, hidden, partial, words_of
from tests.people import JIANG_CAIWEI, LIANG_YUAN, NOW
from tests.services.deployment import PATTERN, assigned, assignment, is_fit, is_on, knows_everybody
from tests.services.duties import people, published

OPEN = {**PATTERN, "signup": True}


async def open_to_all(gateway: GatewayDoor, **changes: Any) -> list[Shift]:
    await knows_everybody(gateway.doors.dispatch)
    _, shifts = await operation_tomorrow(gateway, pattern=OPEN, **changes)
    return shifts


async def sent(browser: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """A form of the page is sent, and what follows is read."""
    key = hidden(await browser.get("/myshifts"), "once")
    return await browser.post(path, data={"once": key, **fields}, follow_redirects=True)


@pytest.mark.parametrize(("lang", "said"), [("zh-Hans", "我能上的班次"), ("en", "I am fit and free for these")])
async def test_what_one_is_fit_and_free_for_comes_soonest_first(gateway: GatewayDoor, lang: str, said: str) -> None:
    await open_to_all(gateway)

    words = words_of(await (await gateway.browser(LIANG_YUAN, lang)).get("/myshifts"))

    assert said in words
    assert words.index("08:00–12:00") < words.index("12:00–16:00")
    assert words.count("东门采样点") >= 4


async def test_one_tap_signs_up_and_the_page_offers_to_undo_it(gateway: GatewayDoor) -> None:
    first, *_ = await open_to_all(gateway)
    browser = await gateway.browser(LIANG_YUAN, "en")

    signed = await sent(browser, "/myshifts/signup", shift_id=str(first.id), role="登记")
    row_id = signed.url.params["signed"]
    undone = await sent(browser, f"/myshifts/{row_id}/undo")

    assert "You are on it: 东门采样点" in words_of(signed)
    assert (await assignment(gateway.doors.dispatch, UUID(row_id))).state == "released"
    assert "Taken back" in words_of(undone)
    assert "You are on it" not in words_of(undone)


async def test_a_place_taken_meanwhile_is_said_and_the_page_stays(gateway: GatewayDoor) -> None:
    first, *_ = await open_to_all(gateway)
    await is_on(gateway.doors.dispatch, first, JIANG_CAIWEI, role="秩序")
    browser = await gateway.browser(LIANG_YUAN, "en")

    refused = await sent(browser, "/myshifts/signup", shift_id=str(first.id), role="秩序")

    assert refused.status_code == 409
    assert "All places of this role are taken" in words_of(refused)
    assert "I am fit and free for these" in words_of(refused)


async def test_who_is_not_fit_is_offered_nothing_and_told_how_it_works(gateway: GatewayDoor) -> None:
    await open_to_all(gateway, requirement="testing_point")
    await is_fit(gateway.doors.dispatch, JIANG_CAIWEI)

    unfit = words_of(await (await gateway.browser(LIANG_YUAN, "en")).get("/myshifts"))
    fit = words_of(await (await gateway.browser(JIANG_CAIWEI, "en")).get("/myshifts"))

    assert "No shift fits now" in unfit
    assert "Sign up: 登记" in fit


async def test_a_shift_that_was_asked_is_answered_here_too_and_declining_needs_a_reason(gateway: GatewayDoor) -> None:
    first, second, *_ = await open_to_all(gateway)
    asked = await is_on(gateway.doors.dispatch, first, LIANG_YUAN, "proposed")
    other = await is_on(gateway.doors.dispatch, second, LIANG_YUAN, "proposed")
    browser = await gateway.browser(LIANG_YUAN, "en")

    received = await sent(browser, f"/myshifts/{asked}/answer", answer="received")
    without = await sent(browser, f"/myshifts/{other}/answer", answer="decline")
    declined = await sent(browser, f"/myshifts/{other}/answer", answer="decline", reason="Away that day")

    assert "you will be there" in words_of(received)
    assert (without.status_code, "Say why" in words_of(without)) == (422, True)
    assert "you cannot come" in words_of(declined)
    assert (await assignment(gateway.doors.dispatch, other)).reason == "Away that day"


async def test_the_hours_beside_the_entries_add_up_to_the_sum(gateway: GatewayDoor) -> None:
    first, second, *_ = await open_to_all(gateway)
    await people(gateway.doors.duty)
    await published(gateway.doors.duty)  # the 9th and the 12th, from eight to eight
    for shift, hours in ((first, 3.5), (second, 2.0)):
        came = shift.starts_at + timedelta(minutes=10)
        row = assigned(shift, LIANG_YUAN.id, state="checked_out", checked_in_at=came, checked_out_at=came + timedelta(hours=hours))
        await gateway.doors.dispatch.has(row)
    set_now(NOW + timedelta(days=9, hours=4))

    words = words_of(await (await gateway.browser(LIANG_YUAN, "en")).get("/myshifts"))

    assert "Shifts 5.5 h Duties 48 h Together 53.5 h" in words
    assert "3.5 h" in words
    assert "4 entries" in words


@pytest.mark.parametrize(("name", "missing"), [("dispatch", "Your shifts"), ("duty", "Your duties")])
async def test_a_service_that_is_away_takes_its_own_part_only(gateway: GatewayDoor, name: str, missing: str) -> None:
    first, *_ = await open_to_all(gateway)
    await is_on(gateway.doors.dispatch, first, LIANG_YUAN)
    browser = await gateway.browser(LIANG_YUAN, "en")
    gateway.down(name)

    answer = await browser.get("/myshifts")

    assert answer.status_code == 200
    assert f"{missing} cannot be reached now" in words_of(answer)
    assert ("东门采样点" in words_of(answer)) == (name == "duty")


async def test_the_page_comes_as_a_block_too_and_one_cannot_answer_for_another(gateway: GatewayDoor) -> None:
    first, *_ = await open_to_all(gateway)
    foreign = await is_on(gateway.doors.dispatch, first, JIANG_CAIWEI, "proposed")
    browser = await gateway.browser(LIANG_YUAN, "en")

    block = await browser.get("/myshifts", headers=partial("mine"))
    refused = await sent(browser, f"/myshifts/{foreign}/answer", answer="received")

    assert block.text.lstrip().startswith('<div class="stack" id="mine"')
    assert refused.status_code == 404
    async with gateway.doors.dispatch.rows() as tx:
        assert (await tx.get_one(Assignment, foreign)).state == "proposed"
