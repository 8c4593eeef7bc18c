"""The demo: a button for each role, a clock that can be set, and none of it in a real system."""

from datetime import timedelta

import pytest

from shared.clock import now
from shared.events import DutiesChanged, DutyState
from tests.doors import Door
from tests.people import (
    FANG_JIBAI,
    FU_XINGJIAN,
    HE_RUONING,
    JIANG_CAIWEI,
    LIANG_YUAN,
    LU_ZHIYAO,
    PAN_XIANGYE,
    SHEN_ZHIXING,
    TANG_YINAN,
    ZHONG_YIFAN,
    id_of,
)
from tests.services.deployment import is_on, knows_everybody, planned, shifts_of
from tests.services.let_in import has_account, real_system, tell, token_for

__all__ = ["real_system"]


@pytest.fixture(autouse=True)
async def _told(identity: Door) -> None:
    await tell(identity)


async def test_there_is_a_part_for_each_role_there_is(identity: Door) -> None:
    for person, role in ((HE_RUONING, "health"), (LU_ZHIYAO, "health"), (FU_XINGJIAN, "leader"), (ZHONG_YIFAN, "administrator")):
        await has_account(identity, person, role, password=None)

    cast = (await identity.get("/demo/cast")).json()["items"]

    roles = [row["role"] for row in cast]
    assert roles == ["health", "health", "leader", "administrator", "head", "reporter", "everyone", "everyone"]
    by_role = {row["role"]: row["name"] for row in cast}
    assert by_role["head"] in {SHEN_ZHIXING.name, TANG_YINAN.name}
    assert [row["name"] for row in cast if row["hint"] == "agency"] == [PAN_XIANGYE.name]


async def test_who_is_given_a_role_by_hand_takes_nobody_s_part(identity: Door) -> None:
    for person in (HE_RUONING, LU_ZHIYAO, JIANG_CAIWEI):
        await has_account(identity, person, "health", password=None)

    cast = (await identity.get("/demo/cast")).json()["items"]

    assert [row["name"] for row in cast if row["role"] == "health"] == [HE_RUONING.name, LU_ZHIYAO.name]


async def test_the_officer_is_whoever_is_on_duty_by_the_clock_and_planner_and_coordinator_have_their_parts(identity: Door) -> None:
    for person, role in ((FANG_JIBAI, "duty_planner"), (SHEN_ZHIXING, "coordinator")):
        await has_account(identity, person, role, password=None)
    for number, person in enumerate((JIANG_CAIWEI, LIANG_YUAN)):
        begins = now() + timedelta(hours=24 * number - 1)
        duty = {"id": id_of(f"duty {number}"), "post_id": id_of("post"), "post_name": "值班员", "person_id": person.id, "version": 2}
        span = {"starts_at": begins, "ends_at": begins + timedelta(hours=24), "gives_rights": True, "state": "published"}
        await identity.hears(DutiesChanged(duties=[DutyState.model_validate(duty | span)]))

    first = (await identity.get("/demo/cast")).json()["items"]
    await identity.put("/demo/clock", {"at": (now() + timedelta(hours=24)).isoformat()})
    second = (await identity.get("/demo/cast")).json()["items"]

    assert {row["role"]: row["name"] for row in first}["duty_planner"] == FANG_JIBAI.name
    assert {row["role"]: row["name"] for row in first}["coordinator"] == SHEN_ZHIXING.name
    officers = [[row["name"] for row in cast if row["role"] == "duty_officer"] for cast in (first, second)]
    assert officers == [[JIANG_CAIWEI.name], [LIANG_YUAN.name]]


async def test_at_the_points_the_leader_of_the_next_shift_and_a_volunteer_can_be_played(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    assert (await dispatch.get("/demo/cast")).json() == {"items": []}
    site = {"name": "东门采样点", "leader_id": str(JIANG_CAIWEI.id)}
    shift = (await shifts_of(dispatch, await planned(dispatch, sites=[site])))[0]
    await is_on(dispatch, shift, JIANG_CAIWEI)
    await is_on(dispatch, shift, LIANG_YUAN)

    shown = (await dispatch.get("/demo/cast")).json()["items"]

    assert [(row["role"], row["name"]) for row in shown] == [("shift_leader", JIANG_CAIWEI.name), ("volunteer", LIANG_YUAN.name)]


async def test_a_part_is_taken_without_a_password(identity: Door) -> None:
    for _ in range(2):
        answer = await identity.post("/demo/sessions", {"person_id": str(LIANG_YUAN.id), "kind": "phone"})
        assert answer.status_code == 201

    assert (await token_for(identity, answer.json()["secret"])).json()["person"]["name"] == LIANG_YUAN.name
    assert (await identity.post("/demo/sessions", {"person_id": str(id_of("nobody"))})).status_code == 404
    assert (await identity.post("/sessions", {"username": LIANG_YUAN.number, "password": "anything at all"})).status_code == 401


async def test_the_clock_is_set_forward_and_back(identity: Door) -> None:
    for at in ("2021-08-05T16:25:00+08:00", "2021-08-04T07:40:00+08:00"):
        answer = await identity.put("/demo/clock", {"at": at})

        assert answer.json()["local"] == at[:16]
        assert now().isoformat()[:10] <= at[:10]
    assert (await identity.put("/demo/clock", {"at": "1821-08-04T07:40:00+08:00"})).json()["errors"][0]["code"] == "out_of_range"
    assert (await identity.put("/demo/clock", {"at": "2021-08-04T07:40:00"})).status_code == 422


async def test_a_clock_that_is_set_does_not_sign_anybody_out(identity: Door) -> None:
    session = (await identity.post("/demo/sessions", {"person_id": str(LIANG_YUAN.id)})).json()

    await identity.put("/demo/clock", {"at": (now() + timedelta(days=90)).isoformat()})

    assert (await token_for(identity, session["secret"])).status_code == 200


@pytest.mark.usefixtures("real_system")
async def test_in_a_real_system_there_is_no_demo(identity: Door, dispatch: Door) -> None:
    answers = [
        await dispatch.get("/demo/cast"),
        await identity.get("/demo/cast"),
        await identity.post("/demo/sessions", {"person_id": str(LIANG_YUAN.id)}),
        await identity.get("/demo/clock"),
        await identity.put("/demo/clock", {"at": "2021-08-05T16:25:00+08:00"}),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
