"""Teams: formed and changed by coordinators, members found by name, seen by those whom they concern."""

import re

import httpx

from tests.gateway.deployment import coordinator, team_of
from tests.gateway.door import GatewayDoor, words_of
from tests.gateway.forms import fields_of
from tests.people import COORDINATOR, FU_XINGJIAN, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, TANG_YINAN


def ticked(page: httpx.Response) -> list[str]:
    """Who is ticked on the form."""
    return re.findall(r'name="member_ids" value="([^"]+)" checked', page.text)


def typed(page: httpx.Response) -> dict[str, object]:
    """The form as a browser would send it: its fields, and whoever is ticked."""
    return {**fields_of(page), "member_ids": ticked(page)}


async def test_a_team_is_formed_of_people_found_by_pinyin_and_number(gateway: GatewayDoor) -> None:
    browser = await coordinator(gateway)

    by_pinyin = await browser.post("/teams/new", data={"name": "突击队", "q": "panxiang", "find": "1"})
    by_number = await browser.post(
        "/teams/new", data={**typed(by_pinyin), "member_ids": [str(PAN_XIANGYE.id)], "q": GU_CHANGTING.number, "find": "1"}
    )
    wish = {**typed(by_number), "member_ids": [str(PAN_XIANGYE.id), str(GU_CHANGTING.id)], "leader_id": str(PAN_XIANGYE.id)}
    answer = await browser.post("/teams/new", data={**wish, "requirement": "testing_point"})
    shown = words_of(await browser.get(answer.headers["location"]))

    assert "找到 1 人" in words_of(by_pinyin)
    assert ticked(by_number) == [str(PAN_XIANGYE.id)]  # whom one ticked stays ticked and named while one looks for others
    assert PAN_XIANGYE.name in words_of(by_number)
    assert answer.status_code == 303
    for said in ("队伍已组建", "2 人", GU_CHANGTING.name, GU_CHANGTING.number, "核酸采样点"):
        assert said in shown


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(gateway: GatewayDoor) -> None:
    browser = await coordinator(gateway)
    await team_of(gateway, LIANG_YUAN)

    nameless = await browser.post("/teams/new", data={"requirement": "testing_point"})
    taken = await browser.post("/teams/new", data={"name": "防疫突击队", "requirement": "flood_rescue"})
    nobody = await browser.post("/teams/new", data={"name": "x", "q": "查无此人", "find": "1"})

    assert (nameless.status_code, taken.status_code) == (422, 409)
    assert 'id="f_name_error"' in nameless.text
    assert "已经有叫这个名字的队伍" in words_of(taken)
    assert (fields_of(taken)["name"], fields_of(taken)["requirement"]) == ("防疫突击队", "flood_rescue")
    assert "没有符合的人" in words_of(nobody)


async def test_two_change_one_team_and_nobody_is_lost(gateway: GatewayDoor) -> None:
    browser = await coordinator(gateway)
    team = await team_of(gateway, LIANG_YUAN, PAN_XIANGYE)
    form = typed(await browser.get(f"/teams/{team['id']}/edit"))
    theirs = {"member_ids": [str(LIANG_YUAN.id), str(PAN_XIANGYE.id), str(TANG_YINAN.id)], "version": 1}
    await gateway.doors.dispatch.patch(f"/teams/{team['id']}", theirs, COORDINATOR)

    mine = {**form, "member_ids": [str(LIANG_YUAN.id)], "name": "突击一队"}  # takes one out, while the other takes one in
    stale = await browser.post(f"/teams/{team['id']}/edit", data=mine)
    answer = await browser.post(f"/teams/{team['id']}/edit", data=typed(stale))
    found = (await gateway.doors.dispatch.get(f"/teams/{team['id']}", COORDINATOR)).json()

    assert (stale.status_code, answer.status_code) == (409, 303)
    assert (found["name"], {one["name"] for one in found["members"]}) == ("突击一队", {LIANG_YUAN.name, TANG_YINAN.name})


async def test_the_list_says_who_leads_and_whether_there_is_anybody(gateway: GatewayDoor) -> None:
    browser = await coordinator(gateway)
    empty = words_of(await browser.get("/teams"))
    team = await team_of(gateway, LIANG_YUAN)
    before = words_of(await browser.get("/teams"))
    await gateway.doors.dispatch.patch(f"/teams/{team['id']}", {"member_ids": [], "version": 1}, COORDINATOR)

    assert "还没有队伍" in empty
    assert "防疫突击队 还没有" in before
    assert "已解散" in words_of(await browser.get("/teams"))


async def test_a_member_sees_the_team_and_a_leader_reads_it_but_neither_changes_it(gateway: GatewayDoor) -> None:
    team = await team_of(gateway, LIANG_YUAN, PAN_XIANGYE)
    member, other, leader = [await gateway.browser(one) for one in (LIANG_YUAN, JIANG_CAIWEI, FU_XINGJIAN)]

    assert "防疫突击队" in words_of(await member.get("/teams"))
    assert PAN_XIANGYE.name not in words_of(await member.get(f"/teams/{team['id']}"))
    assert (await other.get(f"/teams/{team['id']}")).status_code == 404
    assert PAN_XIANGYE.name in words_of(await leader.get(f"/teams/{team['id']}"))
    for browser in (member, leader):
        assert (await browser.get("/teams/new")).status_code == 403
        assert (await browser.get(f"/teams/{team['id']}/edit")).status_code == 403
        assert (await browser.post(f"/teams/{team['id']}/edit", data={"name": "x"})).status_code == 403


async def test_without_the_service_the_page_says_so(gateway: GatewayDoor) -> None:
    browser = await coordinator(gateway, "en")
    english = words_of(await browser.get("/teams"))
    gateway.down("dispatch")

    unsaved = await browser.post("/teams/new", data={"name": "Night team"})

    assert "There is no team yet" in english
    assert (await browser.get("/teams")).status_code == 503
    assert (unsaved.status_code, fields_of(unsaved)["name"]) == (503, "Night team")
