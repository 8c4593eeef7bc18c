"""Arrivals: what a site's code stands for, the shifts one leads, whom a leader finds by a name."""

from datetime import timedelta
from uuid import UUID

from services.dispatch.tables import Site
from shared.clock import set_now
from tests.doors import Door
from tests.people import COORDINATOR, FANG_JIBAI, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, STAFF, caller
from tests.services.deployment import is_on, knows_everybody, planned, shifts_of

GATE_LEADER = caller(GU_CHANGTING)
SITES = [{"name": "东门", "leader_id": str(GU_CHANGTING.id)}, {"name": "西门"}]


async def code_of(dispatch: Door, site_id: str) -> str:
    async with dispatch.rows() as tx:
        return (await tx.get_one(Site, UUID(site_id))).code


async def test_a_code_says_which_site_it_is_and_which_shifts_one_has_there(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, sites=SITES)
    early, late, *_ = await shifts_of(dispatch, operation)
    row_id = await is_on(dispatch, early, LIANG_YUAN)
    await is_on(dispatch, late, JIANG_CAIWEI)
    await is_on(dispatch, late, LIANG_YUAN, "declined")

    here = await dispatch.get(f"/checkin/{await code_of(dispatch, operation['sites'][0]['id'])}", STAFF)
    elsewhere = await dispatch.get(f"/checkin/{await code_of(dispatch, operation['sites'][1]['id'])}", STAFF)
    unknown = await dispatch.get("/checkin/nothing", STAFF)

    assert here.json()["site"]["name"] == "东门"
    assert [one["id"] for one in here.json()["mine"]] == [str(row_id)]
    assert (elsewhere.json()["site"]["name"], elsewhere.json()["mine"]) == ("西门", [])
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


async def test_who_leads_sees_the_shifts_to_be_led_soon_and_how_many_are_there(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, sites=SITES)
    first, *_ = await shifts_of(dispatch, operation)
    await is_on(dispatch, first, LIANG_YUAN, "checked_in")
    await is_on(dispatch, first, JIANG_CAIWEI)

    led = (await dispatch.get("/shifts/led/mine", GATE_LEADER)).json()["items"]
    nobodys = (await dispatch.get("/shifts/led/mine", STAFF)).json()["items"]
    set_now(first.ends_at + timedelta(days=10))
    over = (await dispatch.get("/shifts/led/mine", GATE_LEADER)).json()["items"]

    assert led[0]["id"] == str(first.id)
    assert (led[0]["head_count"], led[0]["held_count"], led[0]["there_count"], led[0]["next_day"]) == (3, 2, 1, False)
    assert {one["site"]["name"] for one in led} == {"东门"}
    assert nobodys == over == []


async def test_whom_a_leader_means_is_found_by_name_and_nobody_else_may_look(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, sites=SITES)
    first, *_ = await shifts_of(dispatch, operation)
    await is_on(dispatch, first, LIANG_YUAN)

    found = await dispatch.get(f"/shifts/{first.id}/walkons?q={PAN_XIANGYE.name}", GATE_LEADER)
    by_number = await dispatch.get(f"/shifts/{first.id}/walkons?q={FANG_JIBAI.number}", COORDINATOR)
    on_it = await dispatch.get(f"/shifts/{first.id}/walkons?q={LIANG_YUAN.name}", GATE_LEADER)
    stranger = await dispatch.get(f"/shifts/{first.id}/walkons?q={PAN_XIANGYE.name}", STAFF)
    short = await dispatch.get(f"/shifts/{first.id}/walkons?q=梁", GATE_LEADER)

    assert [(one["name"], one["department"]) for one in found.json()["items"]] == [(PAN_XIANGYE.name, PAN_XIANGYE.department.name)]
    assert [one["number"] for one in by_number.json()["items"]] == [FANG_JIBAI.number]
    assert on_it.json()["items"] == []
    assert (stranger.status_code, short.status_code) == (404, 422)
