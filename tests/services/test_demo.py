"""The demo: a button for each role, a clock that can be set, and none of it in a real system."""

from datetime import timedelta

import pytest

from shared.clock import now
from tests.doors import Door
from tests.people import FU_XINGJIAN, HE_RUONING, LIANG_YUAN, LU_ZHIYAO, PAN_XIANGYE, SHEN_ZHIXING, TANG_YINAN, ZHONG_YIFAN, id_of
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
async def test_in_a_real_system_there_is_no_demo(identity: Door) -> None:
    answers = [
        await identity.get("/demo/cast"),
        await identity.post("/demo/sessions", {"person_id": str(LIANG_YUAN.id)}),
        await identity.get("/demo/clock"),
        await identity.put("/demo/clock", {"at": "2021-08-05T16:25:00+08:00"}),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
