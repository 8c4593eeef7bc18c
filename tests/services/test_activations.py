"""Activations: a sheet for each person, a code that is good once, and a second person where a code could open health records."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from services.identity.rules import spelled, what_weakens
from services.identity.tables import Acceptance, Activation, SetupCode
from shared import clock
from tests.doors import Door, errors_of
from tests.people import (
    ADMINISTRATOR,
    FU_XINGJIAN,
    GU_CHANGTING,
    HE_RUONING,
    HEALTH,
    LIANG_YUAN,
    LOGISTICS,
    LU_ZHIYAO,
    SECOND_HEALTH,
    STAFF,
    ZHONG_YIFAN,
    id_of,
)
from tests.services.let_in import (
    PASSWORD,
    coming,
    has_account,
    open_sessions,
    real_system,
    setup_code,
    sheet_for,
    signed_in,
    tell,
    token_for,
)

__all__ = ["real_system"]


@pytest.fixture(autouse=True)
async def _told(identity: Door) -> None:
    await tell(identity)


async def test_a_person_comes_in_by_code_and_last_four_digits_and_stays_on_the_phone(identity: Door) -> None:
    sheet = await sheet_for(identity, LIANG_YUAN, HEALTH)

    stands = await identity.get(f"/activations/{sheet['code']}")
    answer = await identity.post(f"/activations/{sheet['code'].lower().replace('-', '')}", coming("0126"))

    assert (stands.json()["name"], stands.json()["tries_left"]) == (LIANG_YUAN.name, 5)
    assert answer.status_code == 201
    assert (answer.json()["kind"], answer.json()["username"]) == ("phone", LIANG_YUAN.number)
    assert (await token_for(identity, answer.json()["secret"])).json()["roles"] == ["everyone"]
    await signed_in(identity, LIANG_YUAN)


async def test_before_the_proof_a_code_tells_the_name_and_nothing_that_proves(identity: Door) -> None:
    sheet = await sheet_for(identity, LIANG_YUAN, HEALTH)

    stands = await identity.get(f"/activations/{sheet['code']}")

    assert set(stands.json()) == {"name", "tries_left", "expires_at", "notice_version"}
    assert LIANG_YUAN.number not in sheet["url"] + stands.text


async def test_the_staff_number_proves_as_well(identity: Door) -> None:
    sheet = await sheet_for(identity, LIANG_YUAN, HEALTH)

    assert (await identity.post(f"/activations/{sheet['code']}", coming(LIANG_YUAN.number))).status_code == 201


async def test_the_notice_that_was_accepted_is_kept_and_an_older_one_does_not_do(identity: Door) -> None:
    sheet = await sheet_for(identity, LIANG_YUAN, HEALTH)
    version = (await identity.get("/notice")).json()["version"]

    older = await identity.post(f"/activations/{sheet['code']}", coming("0126", notice_version="2020-01-01"))
    answer = await identity.post(f"/activations/{sheet['code']}", coming("0126", notice_version=version))

    assert (older.status_code, older.json()["code"], older.json()["params"]) == (409, "notice_changed", {"current": version})
    async with identity.rows() as tx:
        kept = (await tx.scalars(select(Acceptance))).one()
    assert (str(kept.account_id), kept.notice_version) == (answer.json()["account_id"], version)


async def test_a_code_works_once_also_when_two_press_at_once(identity: Door) -> None:
    sheet = await sheet_for(identity, LIANG_YUAN, HEALTH)

    answers = await asyncio.gather(*(identity.post(f"/activations/{sheet['code']}", coming("0126")) for _ in range(4)))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 3}
    assert (await identity.get(f"/activations/{sheet['code']}")).json()["code"] == "code_used"


async def test_a_code_dies_after_five_wrong_tries(identity: Door) -> None:
    sheet = await sheet_for(identity, LIANG_YUAN, HEALTH)

    answers = [await identity.post(f"/activations/{sheet['code']}", coming("9999")) for _ in range(5)]
    right = await identity.post(f"/activations/{sheet['code']}", coming("0126"))

    assert [answer.json()["params"]["tries_left"] for answer in answers] == [4, 3, 2, 1, 0]
    assert (right.status_code, right.json()["code"]) == (409, "code_dead")


async def test_fifty_guesses_at_once_are_counted_as_five(identity: Door) -> None:
    sheet = await sheet_for(identity, LIANG_YUAN, HEALTH)

    answers = await asyncio.gather(*(identity.post(f"/activations/{sheet['code']}", coming(f"{n:04}")) for n in range(50)))

    assert Counter(answer.json()["code"] for answer in answers) == {"proof_wrong": 5, "code_dead": 45}


async def test_a_code_lives_seven_days(identity: Door) -> None:
    sheet = await sheet_for(identity, LIANG_YUAN, HEALTH)

    clock.set_now(clock.now() + timedelta(days=7, seconds=1))

    assert (await identity.get(f"/activations/{sheet['code']}")).json()["code"] == "code_expired"


async def test_a_renewed_code_ends_the_one_before(identity: Door) -> None:
    before, after = await sheet_for(identity, LIANG_YUAN, HEALTH), await sheet_for(identity, LIANG_YUAN, HEALTH)

    assert (await identity.get(f"/activations/{before['code']}")).json()["code"] == "code_ended"
    assert (await identity.post(f"/activations/{after['code']}", coming("0126"))).status_code == 201


async def test_a_new_code_for_one_who_was_in_before_ends_their_sessions(identity: Door) -> None:
    account_id = await has_account(identity, LIANG_YUAN)
    before = await signed_in(identity, LIANG_YUAN, "phone")
    sheet = await sheet_for(identity, LIANG_YUAN, HEALTH)

    await identity.post(f"/activations/{sheet['code']}", coming("0126", password="a ferry crosses at seven"))

    assert (await token_for(identity, before["secret"])).status_code == 401
    assert await open_sessions(identity, account_id) == 1
    answer = await identity.post("/sessions", {"username": LIANG_YUAN.number, "password": PASSWORD})
    assert answer.status_code == 401


async def test_a_weak_password_is_told_beside_the_field_and_costs_no_try(identity: Door) -> None:
    sheet = await sheet_for(identity, LIANG_YUAN, HEALTH)

    answer = await identity.post(f"/activations/{sheet['code']}", coming("0126", password="river"))

    assert answer.status_code == 422
    assert errors_of(answer) == [("password", "password_short", {"min": 10})]
    assert (await identity.get(f"/activations/{sheet['code']}")).json()["tries_left"] == 5


async def test_sheets_are_printed_by_department_for_those_never_let_in(identity: Door) -> None:
    await has_account(identity, GU_CHANGTING)

    answer = await identity.post("/activations", {"department_id": str(LOGISTICS.id)}, HEALTH)

    assert answer.status_code == 201
    assert [sheet["person"]["name"] for sheet in answer.json()["items"]] == ["唐以南", "潘向野"]
    assert all(sheet["url"].endswith(f"/activate/{sheet['code']}") for sheet in answer.json()["items"])
    assert len(identity.statements) <= 10


async def test_a_code_is_kept_hashed(identity: Door) -> None:
    sheet = await sheet_for(identity, LIANG_YUAN, HEALTH)

    async with identity.rows() as tx:
        kept = (await tx.scalars(select(Activation.code_hash))).one()

    assert kept is not None
    assert sheet["code"].encode() not in kept
    assert sheet["code"] not in (await identity.get("/activations?state=open", HEALTH)).text


async def test_the_administrator_asks_and_never_sees_a_code(identity: Door) -> None:
    await has_account(identity, ZHONG_YIFAN, "administrator")
    await has_account(identity, HE_RUONING, "health")
    for person in (LIANG_YUAN, LU_ZHIYAO):
        sheet = await sheet_for(identity, person, ADMINISTRATOR)
        assert (sheet["waiting"], sheet["code"], sheet["url"]) == (True, None, None)

        alone = await identity.post(f"/activations/{sheet['activation_id']}/approval", {"verdict": "approved"}, ADMINISTRATOR)
        answer = await identity.post(f"/activations/{sheet['activation_id']}/approval", {"verdict": "approved"}, HEALTH)

        assert (alone.status_code, alone.json()["code"]) == (409, "second_person_needed")
        assert answer.status_code == 200
        assert answer.json()["code"]


async def test_a_new_code_for_one_who_holds_health_waits_for_another_who_does(identity: Door) -> None:
    await has_account(identity, HE_RUONING, "health")
    await has_account(identity, LU_ZHIYAO, "health")
    sheet = await sheet_for(identity, LU_ZHIYAO, HEALTH)
    path = f"/activations/{sheet['activation_id']}/approval"

    assert sheet["waiting"]
    assert (await identity.post(path, {"verdict": "approved"}, HEALTH)).json()["code"] == "second_person_needed"
    assert (await identity.post(path, {"verdict": "approved"}, SECOND_HEALTH)).json()["code"] == "own_roles"
    assert (await identity.post(path, {"verdict": "approved"}, ADMINISTRATOR)).json()["code"] == "second_person_needed"
    assert (await identity.post(path, {"verdict": "refused"}, ADMINISTRATOR)).status_code == 409


async def test_one_who_holds_health_does_not_take_an_administrator_over_alone(identity: Door) -> None:
    await has_account(identity, ZHONG_YIFAN, "administrator")
    await has_account(identity, HE_RUONING, "health")

    for_administrator = await sheet_for(identity, ZHONG_YIFAN, HEALTH)
    answer = await identity.post(f"/activations/{for_administrator['activation_id']}/approval", {"verdict": "approved"}, SECOND_HEALTH)

    assert for_administrator["waiting"]
    assert answer.json()["code"]


async def test_an_administrator_is_not_shown_the_code_of_one_they_made_a_leader(identity: Door) -> None:
    await has_account(identity, ZHONG_YIFAN, "administrator")
    await has_account(identity, HE_RUONING, "health")
    await has_account(identity, LU_ZHIYAO, "health")
    await has_account(identity, LIANG_YUAN)
    await identity.post("/roles", {"person_id": str(LIANG_YUAN.id), "role": "leader"}, ADMINISTRATOR)
    path = f"/activations/{(await sheet_for(identity, LIANG_YUAN, HEALTH))['activation_id']}/approval"

    theirs = (await identity.get("/activations", ADMINISTRATOR)).json()["items"][0]
    answer = await identity.post(path, {"verdict": "approved"}, ADMINISTRATOR)
    by_another = await identity.post(path, {"verdict": "approved"}, SECOND_HEALTH)

    assert not theirs["may_decide"]
    assert (answer.status_code, answer.json()["code"]) == (409, "second_person_needed")
    assert by_another.json()["code"]


async def test_a_leader_who_was_never_let_in_gets_a_code_at_once_and_later_not(identity: Door) -> None:
    assert not (await sheet_for(identity, FU_XINGJIAN, HEALTH))["waiting"]

    await has_account(identity, FU_XINGJIAN, "leader")

    assert (await sheet_for(identity, FU_XINGJIAN, HEALTH))["waiting"]


@pytest.mark.usefixtures("real_system")
async def test_the_setup_code_lets_the_first_who_holds_health_in_and_nobody_after(identity: Door) -> None:
    await has_account(identity, ZHONG_YIFAN, "administrator")
    code = await setup_code(identity)
    role = await identity.post("/roles", {"person_id": str(HE_RUONING.id), "role": "health"}, ADMINISTRATOR)
    given = await identity.post(f"/roles/{role.json()['id']}/approval", {"verdict": "approved", "setup_code": code}, ADMINISTRATOR)

    staff = await identity.post("/activations", {"person_ids": [str(LIANG_YUAN.id)], "setup_code": code}, ADMINISTRATOR)
    first = await identity.post("/activations", {"person_ids": [str(HE_RUONING.id)], "setup_code": code}, ADMINISTRATOR)
    came_in = await identity.post(f"/activations/{first.json()['items'][0]['code']}", coming("0115"))
    again = await identity.post("/activations", {"person_ids": [str(HE_RUONING.id)], "setup_code": code}, ADMINISTRATOR)

    assert (given.json()["state"], given.json()["by_setup_code"]) == ("given", True)
    assert staff.json()["items"][0]["waiting"]
    assert came_in.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "second_person_needed")
    async with identity.rows() as tx:
        ended = (await tx.scalars(select(SetupCode))).one()
    assert ended.ended_at is not None
    assert len(ended.used_for) == 2


async def test_nobody_else_prints(identity: Door) -> None:
    answer = await identity.post("/activations", {"person_ids": [str(LIANG_YUAN.id)]}, STAFF)

    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


async def test_an_unknown_person_or_code_is_not_found(identity: Door) -> None:
    assert (await identity.post("/activations", {"person_ids": [str(id_of("nobody"))]}, HEALTH)).status_code == 404
    assert (await identity.get("/activations/00000-00000")).status_code == 404
    assert (await identity.post("/activations/00000-00000", coming("0126"))).status_code == 404
    assert (await identity.post("/activations", {}, HEALTH)).status_code == 422


async def test_a_password_is_neither_ones_name_in_pinyin_nor_ones_number(identity: Door) -> None:
    assert [one.code for one in what_weakens("jiangcaiwei20140312", ["江采薇", spelled("jiang cai wei\x1f江采薇"), "20140312"])] == [
        "password_own_words"
    ]
