"""Roles: nobody changes their own, and an administrator alone never brings about that somebody reads health records."""

import asyncio

import httpx
import pytest

from services.identity.tables import Role
from shared.auth import SYSTEM, Caller
from shared.clock import now
from shared.events import HoldersChanged, RolesChanged, SessionsEnded
from shared.refusals import Refused
from tests.doors import Door
from tests.people import (
    ADMINISTRATOR,
    FU_XINGJIAN,
    HE_RUONING,
    HEAD,
    HEALTH,
    LEADER,
    LIANG_YUAN,
    LU_ZHIYAO,
    RECORDS_SYSTEM,
    SECOND_HEALTH,
    STAFF,
    ZHONG_YIFAN,
    Person,
    id_of,
)
from tests.services.let_in import has_account, real_system, setup_code, signed_in, tell, token_for

__all__ = ["real_system"]


@pytest.fixture(autouse=True)
async def _told(identity: Door) -> None:
    await tell(identity)
    await has_account(identity, ZHONG_YIFAN, "administrator")


async def ask(identity: Door, caller: Caller, person_id: object, role: str) -> dict[str, str]:
    answer = await identity.post("/roles", {"person_id": str(person_id), "role": role}, caller)
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.json()
    return found


async def test_the_administrator_makes_an_administrator_at_once(identity: Door) -> None:
    account_id = await has_account(identity, FU_XINGJIAN)

    given = await ask(identity, ADMINISTRATOR, FU_XINGJIAN.id, "administrator")

    assert given["state"] == "given"
    assert [one.account_ids for one in await identity.told(RolesChanged)] == [[account_id]]
    session = await signed_in(identity, FU_XINGJIAN)
    assert (await token_for(identity, session["secret"])).json()["roles"] == ["administrator", "everyone"]


async def test_a_leader_who_sees_who_is_exempt_takes_two(identity: Door) -> None:
    await has_account(identity, HE_RUONING, "health")
    await has_account(identity, FU_XINGJIAN)
    asked = await ask(identity, ADMINISTRATOR, FU_XINGJIAN.id, "leader")
    path = f"/roles/{asked['id']}/approval"

    alone = await identity.post(path, {"verdict": "approved"}, ADMINISTRATOR)
    session = await signed_in(identity, FU_XINGJIAN)
    before = (await token_for(identity, session["secret"])).json()["roles"]
    approved = await identity.post(path, {"verdict": "approved"}, HEALTH)

    assert asked["state"] == "waiting"
    assert (alone.status_code, alone.json()["code"]) == (409, "second_person_needed")
    assert before == ["everyone"]
    assert (approved.json()["state"], approved.json()["decided_by"]) == ("given", HE_RUONING.name)
    session = await signed_in(identity, FU_XINGJIAN)
    assert (await token_for(identity, session["secret"])).json()["roles"] == ["everyone", "leader"]


async def test_the_database_refuses_a_leader_whom_one_alone_made(identity: Door) -> None:
    alone = Role(person_id=FU_XINGJIAN.id, role="leader", state="given", asked_at=now(), decided_at=now())
    alone.asked_by = alone.decided_by = ADMINISTRATOR.account_id

    with pytest.raises(Refused, match="second_person"):
        async with identity.database.transaction(SYSTEM) as tx:
            tx.add(alone)


async def test_whoever_gains_a_role_signs_in_anew(identity: Door) -> None:
    await has_account(identity, FU_XINGJIAN)
    session = await signed_in(identity, FU_XINGJIAN, "phone")

    await ask(identity, ADMINISTRATOR, FU_XINGJIAN.id, "administrator")

    assert (await token_for(identity, session["secret"])).status_code == 401
    assert [str(one.session_ids[0]) for one in await identity.told(SessionsEnded)] == [session["session_id"]]


async def test_health_asked_for_by_the_administrator_waits_for_one_who_holds_it(identity: Door) -> None:
    await has_account(identity, HE_RUONING, "health")
    await has_account(identity, LU_ZHIYAO)
    asked = await ask(identity, ADMINISTRATOR, LU_ZHIYAO.id, "health")
    path = f"/roles/{asked['id']}/approval"

    alone = await identity.post(path, {"verdict": "approved"}, ADMINISTRATOR)
    beneficiary = await identity.post(path, {"verdict": "approved"}, SECOND_HEALTH)
    session = await signed_in(identity, LU_ZHIYAO)
    before = (await token_for(identity, session["secret"])).json()["roles"]
    approved = await identity.post(path, {"verdict": "approved"}, HEALTH)
    again = await identity.post(path, {"verdict": "approved"}, HEALTH)

    assert (alone.status_code, alone.json()["code"]) == (409, "second_person_needed")
    assert (beneficiary.status_code, beneficiary.json()["code"]) == (409, "own_roles")
    assert before == ["everyone"]
    assert (approved.json()["state"], approved.json()["decided_by"]) == ("given", HE_RUONING.name)
    assert (again.status_code, again.json()["code"]) == (409, "decided_already")


async def test_health_asked_for_by_one_who_holds_it_waits_for_another_who_does(identity: Door) -> None:
    await has_account(identity, HE_RUONING, "health")
    asked = await ask(identity, HEALTH, LIANG_YUAN.id, "health")
    path = f"/roles/{asked['id']}/approval"

    assert (await identity.post(path, {"verdict": "approved"}, HEALTH)).json()["code"] == "second_person_needed"
    assert (await identity.post(path, {"verdict": "approved"}, ADMINISTRATOR)).json()["code"] == "second_person_needed"
    assert (await identity.post(path, {"verdict": "approved"}, SECOND_HEALTH)).json()["state"] == "given"


async def test_a_second_account_of_the_administrator_is_no_second_person(identity: Door) -> None:
    twin = Caller(kind="person", account_id=id_of("twin"), person_id=ZHONG_YIFAN.id, name="twin", roles=frozenset({"health"}))
    asked = await ask(identity, ADMINISTRATOR, LIANG_YUAN.id, "health")

    answer = await identity.post(f"/roles/{asked['id']}/approval", {"verdict": "approved"}, twin)

    assert (answer.status_code, answer.json()["code"]) == (409, "second_person_needed")


@pytest.mark.parametrize("role", ["health", "leader", "administrator"])
async def test_nobody_changes_their_own_roles(identity: Door, role: str) -> None:
    for caller in (ADMINISTRATOR, HEALTH):
        answer = await identity.post("/roles", {"person_id": str(caller.person_id), "role": role}, caller)
        assert (answer.status_code, answer.json()["code"]) == (409, "own_roles")


async def test_nobody_lays_their_own_role_down(identity: Door) -> None:
    listed = await identity.get(f"/roles?person_id={ZHONG_YIFAN.id}", ADMINISTRATOR)

    answer = await identity.delete(f"/roles/{listed.json()['items'][0]['id']}", ADMINISTRATOR)

    assert (answer.status_code, answer.json()["code"]) == (409, "own_roles")


async def test_one_who_holds_health_gives_no_other_roles(identity: Door) -> None:
    for role in ("leader", "administrator"):
        answer = await identity.post("/roles", {"person_id": str(LIANG_YUAN.id), "role": role}, HEALTH)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_yours_to_give")


async def test_a_role_that_ended_is_gone_from_the_next_token(identity: Door) -> None:
    await has_account(identity, FU_XINGJIAN, "leader")
    session = await signed_in(identity, FU_XINGJIAN)
    listed = await identity.get(f"/roles?person_id={FU_XINGJIAN.id}", ADMINISTRATOR)

    answer = await identity.delete(f"/roles/{listed.json()['items'][0]['id']}", ADMINISTRATOR)

    assert answer.status_code == 204
    assert (await token_for(identity, session["secret"])).json()["roles"] == ["everyone"]


async def end_health_of(identity: Door, person: Person, caller: Caller) -> httpx.Response:
    listed = (await identity.get(f"/roles?person_id={person.id}", ADMINISTRATOR)).json()["items"]
    return await identity.delete(f"/roles/{next(one['id'] for one in listed if one['role'] == 'health')}", caller)


@pytest.mark.usefixtures("real_system")
async def test_the_last_who_keeps_health_records_and_can_sign_in_is_not_ended_by_the_administrator(identity: Door) -> None:
    await has_account(identity, HE_RUONING, "health")
    await has_account(identity, LU_ZHIYAO, "health")
    await has_account(identity, LIANG_YUAN, "health", password=None)

    one_of_two = await end_health_of(identity, LU_ZHIYAO, ADMINISTRATOR)
    never_let_in = await end_health_of(identity, LIANG_YUAN, ADMINISTRATOR)
    last = await end_health_of(identity, HE_RUONING, ADMINISTRATOR)

    assert (one_of_two.status_code, never_let_in.status_code) == (204, 204)
    assert (last.status_code, last.json()["code"]) == (409, "last_health_role")
    listed = await identity.get(f"/roles?person_id={HE_RUONING.id}", ADMINISTRATOR)
    assert [one["state"] for one in listed.json()["items"]] == ["given"]


@pytest.mark.usefixtures("real_system")
async def test_two_who_end_the_last_two_health_roles_at_once_leave_one(identity: Door) -> None:
    await has_account(identity, HE_RUONING, "health")
    await has_account(identity, LU_ZHIYAO, "health")

    answers = await asyncio.gather(*(end_health_of(identity, one, ADMINISTRATOR) for one in (HE_RUONING, LU_ZHIYAO)))

    assert sorted(answer.status_code for answer in answers) == [204, 409]


@pytest.mark.usefixtures("real_system")
async def test_while_nobody_who_can_sign_in_holds_health_a_role_given_amiss_is_taken_back(identity: Door) -> None:
    await has_account(identity, HE_RUONING, "health", password=None)

    assert (await end_health_of(identity, HE_RUONING, ADMINISTRATOR)).status_code == 204


async def test_a_role_is_given_once(identity: Door) -> None:
    await ask(identity, ADMINISTRATOR, FU_XINGJIAN.id, "leader")

    answer = await identity.post("/roles", {"person_id": str(FU_XINGJIAN.id), "role": "leader"}, ADMINISTRATOR)

    assert (answer.status_code, answer.json()["code"]) == (409, "already_given")


async def test_others_neither_see_nor_give_roles(identity: Door) -> None:
    for caller in (STAFF, HEAD, LEADER, RECORDS_SYSTEM):
        assert (await identity.get("/roles", caller)).status_code == 403
        assert (await identity.post("/roles", {"person_id": str(LIANG_YUAN.id), "role": "leader"}, caller)).status_code == 403


@pytest.mark.usefixtures("real_system")
async def test_the_setup_code_gives_no_health_to_an_administrator(identity: Door) -> None:
    code = await setup_code(identity)
    await ask(identity, ADMINISTRATOR, LIANG_YUAN.id, "administrator")
    asked = await ask(identity, ADMINISTRATOR, LIANG_YUAN.id, "health")

    answer = await identity.post(f"/roles/{asked['id']}/approval", {"verdict": "approved", "setup_code": code}, ADMINISTRATOR)
    wrong = await identity.post(f"/roles/{asked['id']}/approval", {"verdict": "approved", "setup_code": "00000-00000-00000"}, ADMINISTRATOR)

    assert (answer.status_code, answer.json()["code"]) == (409, "not_for_administrator")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "setup_code_wrong")


@pytest.mark.usefixtures("real_system")
async def test_once_somebody_holds_health_the_setup_code_is_no_second_person(identity: Door) -> None:
    await has_account(identity, HE_RUONING, "health")
    code = await setup_code(identity)
    asked = await ask(identity, ADMINISTRATOR, LIANG_YUAN.id, "health")

    answer = await identity.post(f"/roles/{asked['id']}/approval", {"verdict": "approved", "setup_code": code}, ADMINISTRATOR)

    assert (answer.status_code, answer.json()["code"]) == (409, "second_person_needed")


async def test_everybody_is_told_who_holds_which_role_the_newest_version_last(identity: Door) -> None:
    for role in ("administrator", "coordinator"):
        asked = await ask(identity, ADMINISTRATOR, LIANG_YUAN.id, role)
    await identity.delete(f"/roles/{asked['id']}", ADMINISTRATOR)

    told = [one.holders[0] for one in await identity.told(HoldersChanged)]

    assert [one.person_id for one in told] == [LIANG_YUAN.id] * 3, "also of somebody without an account"
    assert [one.roles for one in told] == [["administrator"], ["administrator", "coordinator"], ["administrator"]]
    assert [one.version for one in told] == sorted({one.version for one in told})


async def test_a_role_that_waits_is_not_held(identity: Door) -> None:
    asked = await ask(identity, ADMINISTRATOR, LIANG_YUAN.id, "health")
    assert asked["state"] == "waiting"

    assert await identity.told(HoldersChanged) == []


async def test_two_roles_given_in_one_instant_are_both_told_in_the_end(identity: Door) -> None:
    await asyncio.gather(*(ask(identity, ADMINISTRATOR, LIANG_YUAN.id, role) for role in ("administrator", "coordinator", "duty_planner")))

    told = [one.holders[0] for one in await identity.told(HoldersChanged)]
    assert max(told, key=lambda one: one.version).roles == ["administrator", "coordinator", "duty_planner"]
    assert len({one.version for one in told}) == 3
