"""Teams are formed, changed and seen by those whom they concern."""

from datetime import date

from shared.events import PeopleChanged, TeamsChanged
from tests.doors import Door, errors_of
from tests.people import AGENCY_WORKER, COORDINATOR, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, STAFF, TANG_YINAN, caller
from tests.services.deployment import knows_everybody
from tests.services.let_in import state_of

TEAM = {"name": "防疫突击队", "leader_id": str(TANG_YINAN.id), "requirement": "testing_point"}


async def formed(dispatch: Door, **changes: object) -> dict[str, object]:
    answer = await dispatch.post("/teams", TEAM | changes, COORDINATOR)
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_a_team_is_formed_with_its_people_and_told(dispatch: Door) -> None:
    await knows_everybody(dispatch)

    team = await formed(dispatch, member_ids=[str(LIANG_YUAN.id), str(PAN_XIANGYE.id)])

    assert {one["name"] for one in team["members"]} == {LIANG_YUAN.name, PAN_XIANGYE.name}  # type: ignore[attr-defined]
    assert team["leader"]["name"] == TANG_YINAN.name  # type: ignore[index]
    [told] = [event.teams[0] for event in await dispatch.told(TeamsChanged)]
    assert (told.leader_id, set(told.member_ids), told.version) == (TANG_YINAN.id, {LIANG_YUAN.id, PAN_XIANGYE.id}, 1)


async def test_whoever_comes_and_goes_is_told_with_the_next_version(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    team = await formed(dispatch, member_ids=[str(LIANG_YUAN.id), str(PAN_XIANGYE.id)])

    wish = {"member_ids": [str(PAN_XIANGYE.id), str(GU_CHANGTING.id)], "version": 1}
    answer = await dispatch.patch(f"/teams/{team['id']}", wish, COORDINATOR)

    assert {one["name"] for one in answer.json()["members"]} == {PAN_XIANGYE.name, GU_CHANGTING.name}
    told = (await dispatch.told(TeamsChanged))[-1].teams[0]
    assert (set(told.member_ids), told.version) == ({PAN_XIANGYE.id, GU_CHANGTING.id}, 2)


async def test_a_team_without_people_is_dissolved_and_told_so(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    team = await formed(dispatch, member_ids=[str(LIANG_YUAN.id)])

    answer = await dispatch.patch(f"/teams/{team['id']}", {"member_ids": [], "version": 1}, COORDINATOR)

    assert answer.json()["member_count"] == 0
    assert (await dispatch.told(TeamsChanged))[-1].teams[0].member_ids == []


async def test_who_read_an_older_version_is_shown_what_changed(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    team = await formed(dispatch)
    await dispatch.patch(f"/teams/{team['id']}", {"name": "工作队", "version": 1}, COORDINATOR)

    answer = await dispatch.patch(f"/teams/{team['id']}", {"name": "第二队", "version": 1}, COORDINATOR)

    assert (answer.status_code, answer.json()["code"]) == (409, "changed_meanwhile")
    assert answer.json()["params"]["current"]["name"] == "工作队"


async def test_two_teams_of_one_name_are_refused(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    await formed(dispatch)

    answer = await dispatch.post("/teams", TEAM, COORDINATOR)

    assert (answer.status_code, answer.json()["code"]) == (409, "team_name_taken")


async def test_whoever_has_left_comes_into_no_team(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    left = state_of(LIANG_YUAN, left_on=date(2021, 8, 1), version=2)
    await dispatch.hears(PeopleChanged(people=[left]))

    answer = await dispatch.post("/teams", TEAM | {"member_ids": [str(LIANG_YUAN.id)]}, COORDINATOR)

    assert answer.status_code == 422
    assert errors_of(answer) == [("member_ids", "unknown_id", {})]


async def test_a_member_sees_the_team_and_not_who_else_is_in_it(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    team = await formed(dispatch, member_ids=[str(LIANG_YUAN.id), str(PAN_XIANGYE.id)])

    mine = (await dispatch.get(f"/teams/{team['id']}", STAFF)).json()

    assert [one["name"] for one in mine["members"]] == [LIANG_YUAN.name]
    assert mine["member_count"] == 2
    assert (await dispatch.get("/teams", STAFF)).json()["total"] == 1


async def test_the_leader_sees_everybody_in_it(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    team = await formed(dispatch, member_ids=[str(LIANG_YUAN.id), str(PAN_XIANGYE.id)])

    found = (await dispatch.get(f"/teams/{team['id']}", caller(TANG_YINAN))).json()

    assert len(found["members"]) == 2


async def test_a_team_that_is_not_ones_own_is_not_there(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    team = await formed(dispatch, member_ids=[str(LIANG_YUAN.id)])

    answer = await dispatch.get(f"/teams/{team['id']}", AGENCY_WORKER)

    assert answer.status_code == 404
    assert (await dispatch.get("/teams", caller(JIANG_CAIWEI))).json()["items"] == []
    assert (await dispatch.patch(f"/teams/{team['id']}", {"name": "x", "version": 1}, caller(TANG_YINAN))).status_code == 403


async def test_whom_a_team_can_have_is_found_by_name_pinyin_and_number(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    gone = state_of(GU_CHANGTING).model_copy(update={"left_on": date(2021, 8, 1), "version": 9})
    spelled = state_of(PAN_XIANGYE).model_copy(update={"sort_key": "pan xiang ye", "version": 9})
    await dispatch.hears(PeopleChanged(people=[gone, spelled]))

    async def found(q: str, page_size: int = 50) -> tuple[list[str], int]:
        answer = (await dispatch.get("/teams/people", COORDINATOR, params={"q": q, "page_size": page_size})).json()
        return [one["name"] for one in answer["items"]], answer["total"]

    assert await found("梁予") == ([LIANG_YUAN.name], 1)
    assert await found("panxiangye") == ([PAN_XIANGYE.name], 1)
    assert await found(TANG_YINAN.number) == ([TANG_YINAN.name], 1)
    assert await found(GU_CHANGTING.number) == ([], 0)  # has left
    first, total = await found("20", 2)
    assert (len(first), total) == (2, 10)
    assert (await dispatch.get("/teams/people", STAFF, params={"q": "梁"})).status_code == 403
