"""Sessions: signing in, the token for the gateway, and one's own devices."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from services.identity.keys import digest
from services.identity.limits import lockout_key
from services.identity.tables import Bucket, KnownDevice, Lockout, Session, SignIn
from shared.auth import verify
from shared.clock import real_now
from shared.events import PEOPLE_IN_ONE, DepartmentsChanged, DepartmentState, PeopleChanged, SessionsEnded
from tests.doors import Door
from tests.people import ADMINISTRATOR, FANG_JIBAI, HE_RUONING, JIANG_CAIWEI, LIANG_YUAN, SHEN_ZHIXING, STAFF, TEACHING, id_of
from tests.services.let_in import PASSWORD, has_account, open_sessions, signed_in, state_of, tell, token_for


@pytest.fixture(autouse=True)
async def _told(identity: Door) -> None:
    await tell(identity)


async def test_a_person_signs_in_by_staff_number_and_the_token_says_who_they_are(identity: Door) -> None:
    account_id = await has_account(identity, HE_RUONING, "health")

    session = await signed_in(identity, HE_RUONING)
    answer = await token_for(identity, session["secret"])

    assert answer.status_code == 200
    assert answer.json()["person"] == {
        "id": str(HE_RUONING.id),
        "name": HE_RUONING.name,
        "number": HE_RUONING.number,
        "department": {"id": str(HE_RUONING.department.id), "name": HE_RUONING.department.name},
    }
    caller = verify(answer.json()["token"])
    assert (caller.account_id, caller.person_id) == (account_id, HE_RUONING.id)
    assert caller.roles == {"everyone", "health"}


async def test_the_token_costs_two_statements(identity: Door) -> None:
    await has_account(identity, HE_RUONING, "health")
    session = await signed_in(identity, HE_RUONING)

    await token_for(identity, session["secret"])

    assert len(identity.statements) == 2


async def test_head_and_reporter_follow_from_the_departments(identity: Door) -> None:
    for person, role in ((SHEN_ZHIXING, "head"), (FANG_JIBAI, "reporter"), (JIANG_CAIWEI, "reporter")):
        await has_account(identity, person)
        session = await signed_in(identity, person)

        caller = verify((await token_for(identity, session["secret"])).json()["token"])

        assert caller.roles == {"everyone", role}
        headed, reported = list(caller.departments), list(caller.reported)
        assert (headed, reported) == (([TEACHING.id], []) if role == "head" else ([], [TEACHING.id]))


async def test_the_token_of_one_who_heads_everything_stays_small(identity: Door) -> None:
    await has_account(identity, SHEN_ZHIXING)
    below = [
        DepartmentState(
            id=uuid4(), name=f"department {n}", parent_id=TEACHING.id, head_id=None, reporter_id=None, deputy_id=None, version=1
        )
        for n in range(1200)
    ]
    for start in range(0, len(below), PEOPLE_IN_ONE):
        await identity.hears(DepartmentsChanged(departments=below[start : start + PEOPLE_IN_ONE]))
    session = await signed_in(identity, SHEN_ZHIXING)

    token = (await token_for(identity, session["secret"])).json()["token"]

    assert verify(token).departments == {TEACHING.id}
    assert len(token) < 1000


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(identity: Door) -> None:
    await has_account(identity, LIANG_YUAN)

    wrong = await identity.post("/sessions", {"username": LIANG_YUAN.number, "password": "not this one", "kind": "desk"})
    unknown = await identity.post("/sessions", {"username": "20990101", "password": "not this one", "kind": "desk"})

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["code"] == unknown.json()["code"] == "wrong_credentials"


async def test_a_sign_in_that_failed_is_on_record_and_an_unknown_name_is_not_kept(identity: Door) -> None:
    account_id = await has_account(identity, LIANG_YUAN)
    await identity.post("/sessions", {"username": LIANG_YUAN.number, "password": "not this one"})
    await identity.post("/sessions", {"username": "my secret password", "password": "oops"})

    listed = await identity.get("/signins?failed=true", ADMINISTRATOR)

    assert [(row["account_id"], row["outcome"]) for row in listed.json()["items"]] == [(None, "wrong"), (str(account_id), "wrong")]
    assert "my secret password" not in listed.text


async def test_ten_wrong_passwords_lock_and_the_right_one_does_not_open(identity: Door) -> None:
    account_id = await has_account(identity, LIANG_YUAN)
    async with identity.rows() as tx:
        tx.add(Lockout(key=_key_of(account_id), account_id=account_id, wrong_count=9, last_wrong_at=real_now()))
    await identity.post("/sessions", {"username": LIANG_YUAN.number, "password": "not this one"})

    answer = await identity.post("/sessions", {"username": LIANG_YUAN.number, "password": PASSWORD})

    assert (answer.status_code, answer.json()["code"]) == (429, "locked")
    assert 0 < int(answer.headers["retry-after"]) <= 901


async def test_the_administrator_opens_a_lock_and_the_password_stays(identity: Door) -> None:
    account_id = await has_account(identity, LIANG_YUAN)
    async with identity.rows() as tx:
        until = real_now() + timedelta(minutes=15)
        tx.add(Lockout(key=_key_of(account_id), account_id=account_id, wrong_count=0, last_wrong_at=real_now(), locked_until=until))
    assert (await identity.get(f"/accounts/{account_id}", ADMINISTRATOR)).json()["state"] == "locked"

    answer = await identity.post(f"/accounts/{account_id}/unlock", None, ADMINISTRATOR)

    assert answer.status_code == 204
    await signed_in(identity, LIANG_YUAN)


async def guess(identity: Door, address: str, many: int, **more: str) -> list[str]:
    """Wrong passwords for Liang Yu'an, one after the other."""
    wish = {"username": LIANG_YUAN.number, "password": "not this one"} | more
    headers = {"muster-client-address": address}
    return [(await identity.request("POST", "/sessions", json=wish, headers=headers)).json()["code"] for _ in range(many)]


async def sign_in_from(identity: Door, address: str, **more: str) -> str:
    """The right password: `in`, or why not."""
    wish = {"username": LIANG_YUAN.number, "password": PASSWORD} | more
    answer = await identity.request("POST", "/sessions", json=wish, headers={"muster-client-address": address})
    return "in" if answer.status_code == 201 else str(answer.json()["code"])


async def test_a_prankster_locks_the_place_they_sit_at_and_no_other(identity: Door) -> None:
    account_id = await has_account(identity, LIANG_YUAN)

    said = await guess(identity, "10.0.0.1", 12)

    assert said == ["wrong_credentials"] * 10 + ["locked"] * 2
    assert await sign_in_from(identity, "10.0.0.1") == "locked"
    assert await sign_in_from(identity, "10.0.0.2") == "in"
    assert await sign_in_from(identity, "10.0.0.1") == "locked"
    shown = (await identity.get(f"/accounts/{account_id}", ADMINISTRATOR)).json()
    assert (shown["state"], 0 < shown["locked_seconds"] <= 901) == ("locked", True)


async def test_a_device_that_signed_in_before_is_never_locked(identity: Door) -> None:
    await has_account(identity, LIANG_YUAN)
    key = (await signed_in(identity, LIANG_YUAN))["device_key"]
    await guess(identity, "10.0.0.1", 12)

    assert await sign_in_from(identity, "10.0.0.1", device_key="x" * 43) == "locked"
    assert await sign_in_from(identity, "10.0.0.1", device_key=key) == "in"
    for _ in range(2):  # the own mistakes slow it down, and lock it neither
        said = await guess(identity, "10.0.0.1", 11, device_key=key)
        assert said == ["wrong_credentials"] * 10 + ["too_many"]
        async with identity.rows() as tx:
            await tx.execute(update(Bucket).values(filled_at=real_now() - timedelta(seconds=31)))
        assert await sign_in_from(identity, "10.0.0.1", device_key=key) == "in"


async def test_a_desk_that_two_share_is_known_for_both_and_for_nobody_else(identity: Door) -> None:
    for person in (LIANG_YUAN, FANG_JIBAI, HE_RUONING):
        await has_account(identity, person)
    first = await identity.post("/sessions", {"username": FANG_JIBAI.number, "password": PASSWORD})
    key = first.json()["device_key"]

    assert await sign_in_from(identity, "10.0.0.1", device_key=key) == "in"
    async with identity.rows() as tx:
        known = (await tx.execute(select(KnownDevice.key_hash, KnownDevice.account_id))).all()

    assert {row.key_hash for row in known} == {digest(key)}
    assert {row.account_id for row in known} == {id_of(f"account-{one.number}") for one in (LIANG_YUAN, FANG_JIBAI)}


async def test_many_places_that_guess_at_one_account_are_held_back_and_its_own_device_is_not(
    identity: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.identity.proving.NAME_TRIES", 20)
    monkeypatch.setattr("services.identity.proving.NAME_EVERY", 3600.0)  # however slow the machine is
    await has_account(identity, LIANG_YUAN)
    key = (await signed_in(identity, LIANG_YUAN))["device_key"]

    said = [code for n in range(3) for code in await guess(identity, f"10.0.1.{n}", 9)]

    assert said == ["wrong_credentials"] * 19 + ["too_many"] * 8  # the sign-in before was the first of twenty
    assert await sign_in_from(identity, "10.0.2.1") == "too_many"
    assert await sign_in_from(identity, "10.0.2.1", device_key=key) == "in"


async def test_who_is_signed_in_changes_the_password_whatever_others_typed(identity: Door) -> None:
    await has_account(identity, LIANG_YUAN)
    await guess(identity, "", 12)

    answer = await identity.post("/passwords", {"old": PASSWORD, "new": "a ferry crosses at seven"}, STAFF)

    assert answer.status_code == 204


async def test_what_a_lost_device_knew_ends_with_its_sessions(identity: Door) -> None:
    account_id = await has_account(identity, LIANG_YUAN)
    key = (await signed_in(identity, LIANG_YUAN))["device_key"]
    await guess(identity, "10.0.0.1", 12)

    await identity.delete(f"/accounts/{account_id}/sessions", ADMINISTRATOR)

    assert await sign_in_from(identity, "10.0.0.1", device_key=key) == "locked"


async def test_a_hundred_guesses_at_once_are_stopped(identity: Door) -> None:
    await has_account(identity, LIANG_YUAN)

    guesses = [identity.post("/sessions", {"username": LIANG_YUAN.number, "password": f"guess number {n}"}) for n in range(40)]
    answers = await asyncio.gather(*guesses)

    counted = Counter(answer.json()["code"] for answer in answers)
    assert counted["wrong_credentials"] <= 12
    assert counted["too_many"] > 0
    assert counted["too_many"] + counted["not_available"] >= 25  # a slow machine turns away whoever waits for a connection too long
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 429)


async def test_one_who_signs_in_often_is_not_taken_for_one_who_guesses(identity: Door) -> None:
    await has_account(identity, LIANG_YUAN)

    for _ in range(12):
        await signed_in(identity, LIANG_YUAN)


async def test_a_desk_session_ends_after_thirty_idle_minutes_and_a_phone_does_not(identity: Door) -> None:
    await has_account(identity, LIANG_YUAN)
    desk, phone = await signed_in(identity, LIANG_YUAN), await signed_in(identity, LIANG_YUAN, "phone")
    async with identity.rows() as tx:
        await tx.execute(update(Session).values(last_seen_at=real_now() - timedelta(minutes=31)))

    assert (await token_for(identity, desk["secret"])).status_code == 401
    assert (await token_for(identity, phone["secret"])).status_code == 200


async def test_a_page_that_nobody_touched_does_not_keep_a_desk_session_from_idling(identity: Door) -> None:
    await has_account(identity, LIANG_YUAN)
    desk = await signed_in(identity, LIANG_YUAN)
    earlier = real_now() - timedelta(minutes=20)
    async with identity.rows() as tx:
        await tx.execute(update(Session).values(last_seen_at=earlier))

    assert (await token_for(identity, desk["secret"], **{"muster-background": "true"})).status_code == 200

    async with identity.rows() as tx:
        assert (await tx.scalars(select(Session.last_seen_at))).one() == earlier


async def test_who_left_does_not_sign_in_and_their_sessions_end(identity: Door) -> None:
    await has_account(identity, LIANG_YUAN)
    session = await signed_in(identity, LIANG_YUAN, "phone")

    await identity.hears(PeopleChanged(people=[state_of(LIANG_YUAN, left_on="2021-08-04", version=2)]))

    assert (await token_for(identity, session["secret"])).status_code == 401
    answer = await identity.post("/sessions", {"username": LIANG_YUAN.number, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (403, "left")
    assert [str(one.session_ids[0]) for one in await identity.told(SessionsEnded)] == [session["session_id"]]


async def test_own_devices_are_listed_and_ended_and_nobody_elses(identity: Door) -> None:
    account_id = await has_account(identity, LIANG_YUAN)
    await has_account(identity, HE_RUONING)
    phone, other = await signed_in(identity, LIANG_YUAN, "phone"), await signed_in(identity, HE_RUONING)

    listed = (await identity.get("/sessions", STAFF)).json()["items"]
    foreign = await identity.delete(f"/sessions/{other['session_id']}", STAFF)
    foreign_to_all = await identity.delete(f"/sessions/{other['session_id']}", ADMINISTRATOR)
    own = await identity.delete(f"/sessions/{phone['session_id']}", STAFF)

    assert [(row["id"], row["kind"], row["device"]) for row in listed] == [(phone["session_id"], "phone", "Firefox")]
    assert foreign.status_code == foreign_to_all.status_code == 404
    assert own.status_code == 204
    assert await open_sessions(identity, account_id) == 0


async def test_the_administrator_ends_all_sessions_of_an_account(identity: Door) -> None:
    account_id = await has_account(identity, LIANG_YUAN)
    await signed_in(identity, LIANG_YUAN, "phone")
    await signed_in(identity, LIANG_YUAN)

    assert (await identity.delete(f"/accounts/{account_id}/sessions", ADMINISTRATOR)).status_code == 204

    assert await open_sessions(identity, account_id) == 0
    assert len((await identity.told(SessionsEnded))[0].session_ids) == 2


async def test_everybody_changes_their_own_password_and_other_devices_end(identity: Door) -> None:
    account_id = await has_account(identity, LIANG_YUAN)
    await signed_in(identity, LIANG_YUAN, "phone")

    weak = await identity.post("/passwords", {"old": PASSWORD, "new": "river"}, STAFF)
    wrong = await identity.post("/passwords", {"old": "not this one", "new": "a ferry crosses at seven"}, STAFF)
    right = await identity.post("/passwords", {"old": PASSWORD, "new": "a ferry crosses at seven"}, STAFF)

    assert (weak.status_code, weak.json()["errors"][0]["code"]) == (422, "password_short")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_credentials")
    assert right.status_code == 204
    assert await open_sessions(identity, account_id) == 0
    await signed_in(identity, LIANG_YUAN, password="a ferry crosses at seven")


async def test_secrets_and_passwords_are_kept_hashed(identity: Door) -> None:
    await has_account(identity, LIANG_YUAN)
    session = await signed_in(identity, LIANG_YUAN)

    async with identity.rows() as tx:
        kept = (await tx.scalars(select(Session.secret_hash))).one()
        outcome = (await tx.scalars(select(SignIn.outcome))).one()

    assert session["secret"].encode() not in kept
    assert outcome == "in"


async def test_without_a_session_there_is_no_token(identity: Door) -> None:
    for headers in ({}, {"muster-session": "x" * 43}):
        answer = await identity.request("POST", "/sessions/token", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def _key_of(account_id: UUID) -> bytes:

    return lockout_key(account_id, "", "")
