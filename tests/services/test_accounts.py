"""Accounts: who was let in, how they stand, and the copy of all that is kept about oneself."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from services.identity.setup_code import print_new
from services.identity.tables import Account
from shared.auth import verify
from shared.events import PeopleChanged
from tests.doors import Door
from tests.people import (
    ADMINISTRATOR,
    FU_XINGJIAN,
    HEAD,
    HEALTH,
    LEADER,
    LIANG_YUAN,
    PAN_XIANGYE,
    PEOPLE,
    RECORDS_SYSTEM,
    SHEN_ZHIXING,
    STAFF,
    id_of,
)
from tests.services.let_in import PASSWORD, coming, has_account, sheet_for, signed_in, state_of, tell, token_for


@pytest.fixture(autouse=True)
async def _told(identity: Door) -> None:
    await tell(identity)


async def test_everybody_is_listed_with_how_they_stand(identity: Door) -> None:
    await has_account(identity, FU_XINGJIAN, "leader")
    await signed_in(identity, FU_XINGJIAN)
    await sheet_for(identity, LIANG_YUAN, HEALTH)
    await identity.hears(PeopleChanged(people=[state_of(PAN_XIANGYE, left_on="2021-08-01", version=2)]))

    answer = await identity.get("/accounts", ADMINISTRATOR)

    assert answer.json()["total"] == len(PEOPLE)
    by_name = {row["name"]: row for row in answer.json()["items"]}
    states = {person.name: by_name[person.name]["state"] for person in (FU_XINGJIAN, LIANG_YUAN, PAN_XIANGYE, SHEN_ZHIXING)}
    assert states == {FU_XINGJIAN.name: "active", LIANG_YUAN.name: "invited", PAN_XIANGYE.name: "left", SHEN_ZHIXING.name: "none"}
    assert by_name[FU_XINGJIAN.name]["roles"] == ["leader"]
    assert by_name[FU_XINGJIAN.name]["sessions_count"] == 1
    assert by_name[SHEN_ZHIXING.name]["roles"] == ["head"]
    assert len(identity.statements) <= 10


async def test_accounts_are_found_by_name_number_and_state(identity: Door) -> None:
    await has_account(identity, FU_XINGJIAN)

    for query in ("q=梁予", f"q={LIANG_YUAN.number}", "q=20020126&state=none"):
        assert [row["name"] for row in (await identity.get(f"/accounts?{query}", HEALTH)).json()["items"]] == [LIANG_YUAN.name]
    assert (await identity.get("/accounts?q=%25", HEALTH)).json()["total"] == 0
    assert (await identity.get("/accounts?state=active", HEALTH)).json()["total"] == 1


async def test_an_account_without_a_person_is_listed_too(identity: Door) -> None:
    code = await print_new(identity.database, "administrator")
    wish = {"code": code, "name": "林照野", "username": "warden", "password": PASSWORD}
    assert (await identity.post("/setup", wish)).status_code == 201

    found = (await identity.get("/accounts?q=warden", ADMINISTRATOR)).json()["items"]

    assert [(row["name"], row["person_id"], row["roles"], row["state"]) for row in found] == [("林照野", None, ["administrator"], "active")]


async def test_one_account_is_shown_by_its_id_or_the_persons(identity: Door) -> None:
    account_id = await has_account(identity, FU_XINGJIAN)

    for one in (account_id, FU_XINGJIAN.id):
        assert (await identity.get(f"/accounts/{one}", ADMINISTRATOR)).json()["account_id"] == str(account_id)
    assert (await identity.get(f"/accounts/{id_of('nobody')}", ADMINISTRATOR)).status_code == 404


async def test_nobody_else_reads_accounts(identity: Door) -> None:
    for caller in (STAFF, HEAD, LEADER, RECORDS_SYSTEM):
        assert (await identity.get("/accounts", caller)).status_code == 403
        assert (await identity.get(f"/accounts/{LIANG_YUAN.id}", caller)).status_code == 403
    assert (await identity.post(f"/accounts/{LIANG_YUAN.id}/unlock", None, HEALTH)).status_code == 403


async def test_the_copy_holds_all_that_is_kept_about_oneself_and_nothing_of_others(identity: Door) -> None:
    await has_account(identity, FU_XINGJIAN)
    await signed_in(identity, FU_XINGJIAN)
    sheet = await sheet_for(identity, LIANG_YUAN, HEALTH)
    await identity.post(f"/activations/{sheet['code']}", coming("0126"))
    async with identity.rows() as tx:
        account_id = (await tx.scalars(select(Account.id).where(Account.person_id == LIANG_YUAN.id))).one()
    answer = await identity.get("/accounts/me/copy", replace(STAFF, account_id=account_id))

    copy = answer.json()
    assert (copy["name"], copy["number"], copy["phone_last4"]) == (LIANG_YUAN.name, LIANG_YUAN.number, "0126")
    assert [len(copy[part]) for part in ("notices", "activations", "sessions", "sign_ins")] == [1, 1, 1, 1]
    assert FU_XINGJIAN.name not in answer.text
    assert "hash" not in answer.text


async def test_the_copy_of_an_account_without_a_person_holds_no_other_ones_roles(identity: Door) -> None:
    callers = []
    for username in ("warden", "second"):
        code = await print_new(identity.database, "administrator")
        answer = await identity.post("/setup", {"code": code, "name": "林照野", "username": username, "password": PASSWORD})
        callers.append(verify((await token_for(identity, answer.json()["secret"])).json()["token"]))

    copy = (await identity.get("/accounts/me/copy", callers[0])).json()

    assert [role["role"] for role in copy["roles"]] == ["administrator"]
    assert (copy["username"], copy["looks"]) == ("warden", [])
