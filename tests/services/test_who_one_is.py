"""The accounts of the set-up say whose they are; until then they are neither of the two that an approval takes."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from services.identity.app import begin
from services.identity.rules import ACTIVATION_TRIES, NOTICE_VERSION
from services.identity.setup_code import print_new
from services.identity.tables import Account, Activation, Role, System
from shared.auth import Caller, verify
from shared.events import RolesChanged
from tests.doors import Door
from tests.people import FU_XINGJIAN, HE_RUONING, LIANG_YUAN, LU_ZHIYAO, SECOND_HEALTH, ZHONG_YIFAN, Person
from tests.services.let_in import PASSWORD, coming, has_account, open_sessions, real_system, sheet_for, signed_in, tell, token_for

__all__ = ["real_system"]

SetUp = dict[str, Any]


@pytest.fixture(autouse=True)
async def _empty(identity: Door, real_system: None) -> None:
    await tell(identity)
    async with identity.rows() as tx:
        await tx.delete(await tx.get_one(System, 1))
    await begin(identity.database)


async def made(identity: Door, place: str) -> SetUp:
    """The account of a place of the set-up."""
    code = await print_new(identity.database, "health" if place == "health" else "administrator")
    wish = {"code": code, "name": f"the {place} of the set-up", "username": place, "password": PASSWORD}
    answer = await identity.post("/setup/health" if place == "health" else "/setup", wish)
    assert answer.status_code == 201, answer.text
    found: SetUp = answer.json()
    return found


async def who(identity: Door, session: SetUp) -> Caller:
    return verify((await token_for(identity, session["secret"])).json()["token"])


async def say_who(identity: Door, session: SetUp, person: Person, keeper: SetUp, **changes: Any) -> httpx.Response:
    """With the code of the own sheet, which whoever keeps health records prints."""
    sheet = await sheet_for(identity, person, await who(identity, keeper))
    saying = {"proof": person.number, "notice_version": NOTICE_VERSION} | changes
    return await identity.post(f"/activations/{sheet['code']}/account", saying, await who(identity, session))


async def roles_of(identity: Door, account_or_person: UUID) -> set[tuple[str, str]]:
    async with identity.rows() as tx:
        rows = await tx.scalars(select(Role).where((Role.person_id == account_or_person) | (Role.account_id == account_or_person)))
        return {(row.role, row.state) for row in rows}


async def test_whoever_was_set_up_says_who_they_are_and_stays_signed_in(identity: Door) -> None:
    keeper = await made(identity, "health")

    answer = await say_who(identity, keeper, HE_RUONING, keeper)

    assert answer.json() == {"name": HE_RUONING.name, "username": HE_RUONING.number, "joined": False}
    caller = await who(identity, keeper)
    assert (caller.person_id, caller.name) == (HE_RUONING.id, HE_RUONING.name)
    assert caller.roles == {"everyone", "health"}
    assert await roles_of(identity, HE_RUONING.id) == {("health", "given")}
    assert [one.account_ids for one in await identity.told(RolesChanged)] == [[UUID(keeper["account_id"])]]
    for username in ("health", HE_RUONING.number):
        assert (await identity.post("/sessions", {"username": username, "password": PASSWORD})).status_code == 201


async def test_until_both_have_said_who_they_are_the_two_of_the_set_up_approve_nothing(identity: Door) -> None:
    administrator, keeper = await made(identity, "administrator"), await made(identity, "health")
    wish = {"person_id": str(LU_ZHIYAO.id), "role": "health"}
    asked = (await identity.post("/roles", wish, await who(identity, administrator))).json()
    path = f"/roles/{asked['id']}/approval"

    async def approve() -> tuple[int, str]:
        answer = await identity.post(path, {"verdict": "approved"}, await who(identity, keeper))
        return answer.status_code, answer.json().get("code") or answer.json()["state"]

    async def may_decide() -> list[bool]:
        listed = await identity.get("/roles?state=waiting", await who(identity, keeper))
        return [one["may_decide"] for one in listed.json()["items"]]

    assert (await approve(), await may_decide()) == ((409, "say_who_you_are"), [False])
    await say_who(identity, keeper, HE_RUONING, keeper)
    assert (await approve(), await may_decide()) == ((409, "asker_without_person"), [False])
    await say_who(identity, administrator, ZHONG_YIFAN, keeper)
    assert await may_decide() == [True]
    assert await approve() == (200, "given")


async def test_one_human_with_two_accounts_is_not_the_second_person(identity: Door) -> None:
    """The keeper of the set-up comes in as the own person too: neither roles, nor clients, nor codes are approved across the two."""
    administrator, keeper = await made(identity, "administrator"), await made(identity, "health")
    sheet = await sheet_for(identity, HE_RUONING, await who(identity, keeper))
    await identity.post(f"/activations/{sheet['code']}", coming(HE_RUONING.number))
    asked = await identity.post("/roles", {"person_id": str(HE_RUONING.id), "role": "health"}, await who(identity, administrator))
    client = {"name": "records", "scopes": ["vaccination:read"], "expires_on": "2021-12-31"}
    wanted = (await identity.post("/clients", client, await who(identity, administrator))).json()
    code = await sheet_for(identity, LIANG_YUAN, await who(identity, administrator))

    by = await who(identity, keeper)
    own = await identity.post(f"/roles/{asked.json()['id']}/approval", {"verdict": "approved"}, by)
    key = await identity.post(f"/clients/{wanted['id']}/approval", {"verdict": "approved", "version": wanted["version"]}, by)
    shown = await identity.post(f"/activations/{code['activation_id']}/approval", {"verdict": "approved"}, by)

    assert {one.status_code for one in (own, key, shown)} == {409}
    assert {one.json()["code"] for one in (own, key, shown)} == {"say_who_you_are"}
    assert await roles_of(identity, HE_RUONING.id) == {("health", "waiting")}


async def test_whoever_has_an_account_already_signs_in_with_that_one(identity: Door) -> None:
    administrator, keeper = await made(identity, "administrator"), await made(identity, "health")
    sheet = await sheet_for(identity, HE_RUONING, await who(identity, keeper))
    own = (await identity.post(f"/activations/{sheet['code']}", coming(HE_RUONING.number))).json()["account_id"]

    answer = await say_who(identity, keeper, HE_RUONING, keeper)

    assert answer.json()["joined"]
    assert (await token_for(identity, keeper["secret"])).status_code == 401
    assert (await identity.post("/sessions", {"username": "health", "password": PASSWORD})).json()["code"] == "wrong_credentials"
    caller = await who(identity, await signed_in(identity, HE_RUONING))
    assert (str(caller.account_id), set(caller.roles)) == (own, {"everyone", "health"})
    assert await roles_of(identity, HE_RUONING.id) == {("health", "given")}
    assert await roles_of(identity, UUID(keeper["account_id"])) == set()
    assert (await who(identity, administrator)).roles == {"administrator"}


async def test_a_role_that_the_person_waits_for_is_not_had_twice(identity: Door) -> None:
    administrator, keeper = await made(identity, "administrator"), await made(identity, "health")
    sheet = await sheet_for(identity, HE_RUONING, await who(identity, keeper))
    await identity.post("/roles", {"person_id": str(HE_RUONING.id), "role": "health"}, await who(identity, administrator))

    saying = {"proof": HE_RUONING.number, "notice_version": NOTICE_VERSION}
    answer = await identity.post(f"/activations/{sheet['code']}/account", saying, await who(identity, keeper))

    assert answer.status_code == 200
    assert await roles_of(identity, HE_RUONING.id) == {("health", "given"), ("health", "ended")}


async def test_a_role_that_the_person_has_is_not_had_twice(identity: Door) -> None:
    administrator, keeper = await made(identity, "administrator"), await made(identity, "health")
    await has_account(identity, ZHONG_YIFAN, "administrator")
    await has_account(identity, LU_ZHIYAO, "health")
    await say_who(identity, keeper, HE_RUONING, keeper)
    wanted = await sheet_for(identity, ZHONG_YIFAN, await who(identity, keeper))
    approved = await identity.post(f"/activations/{wanted['activation_id']}/approval", {"verdict": "approved"}, SECOND_HEALTH)

    saying = {"proof": ZHONG_YIFAN.number, "notice_version": NOTICE_VERSION}
    answer = await identity.post(f"/activations/{approved.json()['code']}/account", saying, await who(identity, administrator))

    assert answer.json()["joined"]
    assert await roles_of(identity, ZHONG_YIFAN.id) == {("administrator", "given")}
    assert await roles_of(identity, UUID(administrator["account_id"])) == {("administrator", "ended")}


async def test_a_code_is_good_once_and_guessing_kills_it(identity: Door) -> None:
    keeper = await made(identity, "health")
    caller = await who(identity, keeper)
    sheet = await sheet_for(identity, HE_RUONING, caller)
    path = f"/activations/{sheet['code']}/account"

    wrong = [await identity.post(path, {"proof": "0000", "notice_version": NOTICE_VERSION}, caller) for _ in range(ACTIVATION_TRIES)]
    dead = await identity.post(path, {"proof": HE_RUONING.number, "notice_version": NOTICE_VERSION}, caller)
    old_notice = await say_who(identity, keeper, HE_RUONING, keeper, notice_version="2020-01-01")
    said = await say_who(identity, keeper, HE_RUONING, keeper)
    twice = await identity.post(path, {"proof": HE_RUONING.number, "notice_version": NOTICE_VERSION}, caller)

    assert [one.json()["params"]["tries_left"] for one in wrong] == [4, 3, 2, 1, 0]
    assert (dead.json()["code"], old_notice.json()["code"]) == ("code_dead", "notice_changed")
    assert (said.status_code, twice.json()["code"]) == (200, "person_known")
    async with identity.rows() as tx:
        assert len((await tx.scalars(select(Activation.id).where(Activation.state == "used"))).all()) == 1


async def test_an_account_of_a_person_stays_that_persons(identity: Door) -> None:
    account_id = await has_account(identity, FU_XINGJIAN)
    keeper = await made(identity, "health")

    answer = await say_who(identity, await signed_in(identity, FU_XINGJIAN), LIANG_YUAN, keeper)

    assert (answer.status_code, answer.json()["code"]) == (409, "person_known")
    async with identity.rows() as tx:
        assert (await tx.get_one(Account, account_id)).person_id == FU_XINGJIAN.id
    assert await open_sessions(identity, account_id) == 1


async def test_nobody_is_given_what_takes_two_under_an_account_that_is_nobodys(identity: Door) -> None:
    administrator, other = await made(identity, "administrator"), await made(identity, "health")

    answers = [
        await identity.post("/roles", {"account_id": other["account_id"], "role": role}, await who(identity, administrator))
        for role in ("leader", "administrator")
    ]

    assert [answer.json().get("code") or answer.json()["state"] for answer in answers] == ["account_without_person", "given"]
