"""Gaps: whoever plans sees what is open and whom to ask, and fills it in two taps; nobody reads why somebody cannot come."""

from tests.gateway.door import GatewayDoor, words_of
from tests.gateway.duties import WEEK, names, planner
from tests.people import GU_CHANGTING, LIANG_YUAN
from tests.services.duties import day, published, read
from tests.services.test_gaps import cannot_be_had, leaves, open_gaps


async def test_no_gap_says_so_and_only_those_who_plan_see_the_page(gateway: GatewayDoor) -> None:
    browser, staff = await planner(gateway), await gateway.browser(LIANG_YUAN)

    assert "已发布的岗位都有人" in words_of(await browser.get("/gaps"))
    assert (await staff.get("/gaps")).status_code == 403
    assert (await staff.post("/gaps/0198a3f2-7c41-7d3e-9b5a-2f6c8d1e4a70", data={})).status_code == 403


async def test_a_gap_is_filled_in_two_taps(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    await published(gateway.doors.duty)
    await leaves(gateway.doors.duty, LIANG_YUAN, day(5))
    [gap] = await open_gaps(gateway.doors.duty)
    best = gap["candidates"][0]["person"]

    listed = await browser.get("/gaps")
    asked = await browser.get("/gaps", params={"gap_id": gap["id"], "person_id": best["id"]})
    answer = await browser.post(f"/gaps/{gap['id']}", data={"person_id": best["id"], "reason": "电话确认"})

    assert f'data-opens="d_{gap["id"]}_{best["id"]}"' in listed.text
    assert "已离开" in words_of(listed) or "已离职" in words_of(listed)
    assert '<dialog class="dialog shown"' in asked.text
    assert answer.headers["location"] == "/gaps?done=gap_filled"
    assert names(await read(gateway.doors.duty))[6] == best["name"]
    assert "电话确认" in words_of(await browser.get(WEEK))


async def test_a_gap_that_is_filled_already_and_a_person_who_cannot_are_refused_in_words(gateway: GatewayDoor) -> None:
    browser = await planner(gateway)
    await published(gateway.doors.duty)
    await cannot_be_had(gateway.doors.personnel, gateway.doors.duty, LIANG_YUAN, 5.9, 0.5)
    [gap] = await open_gaps(gateway.doors.duty)

    busy = await browser.post(f"/gaps/{gap['id']}", data={"person_id": str(LIANG_YUAN.id)})
    nobody = await browser.post(f"/gaps/{gap['id']}", data={})
    await browser.post(f"/gaps/{gap['id']}", data={"person_id": str(GU_CHANGTING.id)})
    late = await browser.post(f"/gaps/{gap['id']}", data={"person_id": str(GU_CHANGTING.id)})

    assert (busy.status_code, nobody.status_code, late.status_code) == (409, 422, 409)
    assert "data-refusal" in busy.text
    assert "已经有人" in words_of(late)


async def test_a_published_week_with_a_gap_leads_to_it_and_says_no_reason_of_health(gateway: GatewayDoor) -> None:
    browser, staff = await planner(gateway), await gateway.browser(GU_CHANGTING)
    await published(gateway.doors.duty)
    await cannot_be_had(gateway.doors.personnel, gateway.doors.duty, LIANG_YUAN, 5.9, 0.5)

    assert 'href="/gaps"' in (await browser.get(WEEK)).text
    words = words_of(await staff.get(WEEK))
    assert "缺 1 人" in words
    assert "不能到岗" in words
    gateway.down("duty")
    assert (await browser.get("/gaps")).status_code == 503
