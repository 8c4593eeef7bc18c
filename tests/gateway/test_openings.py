"""Open places: seen with who can stand in, filled in two taps, and told to open pages."""

import re
from typing import Any

from gateway.live import topics_of
from shared.events import AssignmentsChanged, PlaceClosed, PlaceFilled, PlaceOpened, ShiftsChanged, TeamsChanged
from tests.gateway.deployment import coordinator, operation_tomorrow, team_of
from tests.gateway.door import GatewayDoor, hidden, words_of
from tests.people import COORDINATOR, FU_XINGJIAN, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, TANG_YINAN, caller
from tests.services.deployment import is_fit, is_on


async def declined(gateway: GatewayDoor, **changes: Any) -> str:
    """Somebody fell out of a shift: the place's id."""
    _, [first, *_] = await operation_tomorrow(gateway, **changes)
    row = await is_on(gateway.doors.dispatch, first, JIANG_CAIWEI)
    answer = {"answer": "decline", "reason": "家中有事"}
    assert (await gateway.doors.dispatch.post(f"/assignments/{row}/answer", answer, caller(JIANG_CAIWEI))).status_code == 200
    return str(row)


async def test_a_place_is_filled_in_two_taps(gateway: GatewayDoor) -> None:
    await team_of(gateway, LIANG_YUAN, PAN_XIANGYE)
    row = await declined(gateway)
    browser = await coordinator(gateway)

    page = await browser.get("/openings")  # the first tap
    form = {"person_id": hidden(page, "person_id"), "once": hidden(page, "once")}
    answer = await browser.post(f"/openings/{row}", data=form)  # the second
    after = words_of(await browser.get(answer.headers["location"]))

    for said in ("1 个位置有人退出", "缺人：登记", "江采薇来不了。", "家中有事", "东门采样点", "符合，有空"):
        assert said in words_of(page)
    assert answer.status_code == 303
    assert "已派工补位" in after
    assert "没有空缺" in after


async def test_a_place_that_somebody_else_filled_says_so(gateway: GatewayDoor) -> None:
    await team_of(gateway, LIANG_YUAN, PAN_XIANGYE)
    row = await declined(gateway)
    browser = await coordinator(gateway)
    body = {"person_id": str(PAN_XIANGYE.id)}
    assert (await gateway.doors.dispatch.post(f"/alerts/{row}/filling", body, COORDINATOR)).status_code == 201

    late = await browser.post(f"/openings/{row}", data={"person_id": str(LIANG_YUAN.id)})

    assert (late.status_code, "这个位置已有人" in words_of(late)) == (409, True)


async def test_somebody_who_cannot_is_refused_at_the_place(gateway: GatewayDoor) -> None:
    await team_of(gateway, LIANG_YUAN, TANG_YINAN)
    row = await declined(gateway, requirement="testing_point")
    await is_fit(gateway.doors.dispatch, LIANG_YUAN)
    browser = await coordinator(gateway)

    page = await browser.get("/openings")
    answer = await browser.post(f"/openings/{row}", data={"person_id": str(TANG_YINAN.id)})

    assert re.findall(r'name="person_id" value="([^"]+)"', page.text) == [str(LIANG_YUAN.id)]
    assert (answer.status_code, "不符合：核酸采样点。" in words_of(answer)) == (409, True)


async def test_nobody_fits_and_nothing_is_open_are_said(gateway: GatewayDoor) -> None:
    browser = await coordinator(gateway, "en")
    empty = words_of(await browser.get("/openings"))
    await declined(gateway, requirement="testing_point")

    assert "No place is open" in empty
    assert "Nobody fits, is free and rested." in words_of(await browser.get("/openings"))


async def test_staff_does_not_see_them_and_without_the_service_the_page_says_so(gateway: GatewayDoor) -> None:
    row = await declined(gateway)
    staff, leader = await gateway.browser(LIANG_YUAN), await gateway.browser(FU_XINGJIAN)

    assert (await staff.get("/openings")).status_code == 403
    assert (await staff.post(f"/openings/{row}", data={"person_id": str(LIANG_YUAN.id)})).status_code == 403
    assert (await leader.get("/openings")).status_code == 200
    gateway.down("dispatch")
    assert (await leader.get("/openings")).status_code == 503


def test_open_pages_hear_of_what_they_show() -> None:
    shift = {"id": "s", "operation_id": "o"}
    on_it = {"id": "a", "shift_id": "s", "person_id": "p"}

    assert topics_of(TeamsChanged.subject, {"teams": [{"id": "t"}]}) == {"teams": "team.read", "team:t": "team.read"}
    assert topics_of(ShiftsChanged.subject, {"shifts": [shift]}).keys() == {"operations", "operation:o", "shift:s", "places:s"}
    assert topics_of(AssignmentsChanged.subject, {"assignments": [on_it]}).keys() >= {"assignments", "shift:s", "assignments:p"}
    for subject in (PlaceOpened.subject, PlaceFilled.subject, PlaceClosed.subject):
        assert topics_of(subject, {"shift_id": "s"})["openings"] == "candidate.read"
