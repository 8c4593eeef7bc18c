"""API clients: keys shown once and kept hashed, two at once, and a second person where a scope opens health records."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from services.identity.tables import ClientKey
from shared.auth import Caller, verify
from shared.clock import now, set_now
from shared.policy import SCOPES
from tests.doors import Door, errors_of
from tests.people import ADMINISTRATOR, HE_RUONING, HEALTH, LEADER, STAFF, ZHONG_YIFAN
from tests.services.let_in import has_account, tell

OPEN_UNTIL = "2022-07-31"


@pytest.fixture(autouse=True)
async def _told(identity: Door) -> None:
    await tell(identity)
    await has_account(identity, ZHONG_YIFAN, "administrator")
    await has_account(identity, HE_RUONING, "health")


async def make(identity: Door, *scopes: str, name: str = "区卫健接种平台") -> dict[str, object]:
    answer = await identity.post("/clients", {"name": name, "scopes": list(scopes), "expires_on": OPEN_UNTIL}, ADMINISTRATOR)
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    return found


async def key_for(identity: Door, client: dict[str, object], caller: Caller = ADMINISTRATOR, **wish: str) -> dict[str, Any]:
    answer = await identity.post(f"/clients/{client['id']}/keys", wish, caller)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_key_is_exchanged_for_a_token_with_the_scopes_and_nothing_else(identity: Door) -> None:
    client = await make(identity, "people:read")
    made = await key_for(identity, client)

    answer = await identity.request("POST", "/clients/token", headers={"authorization": f"Bearer {made['key']}"})

    assert made["key"].startswith(f"muster_{made['id']}_")
    assert answer.status_code == 200
    caller = verify(answer.json()["token"])
    assert (caller.kind, str(caller.client_id), caller.roles) == ("client", client["id"], frozenset())
    assert caller.scopes == {"people:read"}


async def test_a_key_is_kept_hashed_and_never_shown_again(identity: Door) -> None:
    made = await key_for(identity, await make(identity, "people:read"))

    listed = await identity.get("/clients", HEALTH)

    async with identity.rows() as tx:
        kept = (await tx.scalars(select(ClientKey.secret_hash))).one()
    assert kept
    assert made["key"].encode() not in kept
    assert made["key"] not in listed.text
    assert listed.json()["items"][0]["keys"][0]["id"] == made["id"]


async def approve(identity: Door, client: dict[str, object], verdict: str = "approved") -> httpx.Response:
    version = next(one for one in (await identity.get("/clients", HEALTH)).json()["items"] if one["id"] == client["id"])["version"]
    return await identity.post(f"/clients/{client['id']}/approval", {"verdict": verdict, "version": version}, HEALTH)


async def token_status(identity: Door, key: str) -> int:
    return (await identity.request("POST", "/clients/token", headers={"authorization": f"Bearer {key}"})).status_code


async def test_a_client_with_a_health_scope_waits_for_one_who_holds_health(identity: Door) -> None:
    client = await make(identity, "people:read", "vaccination:write")
    made = await key_for(identity, client)
    path = f"/clients/{client['id']}/approval"

    alone = await identity.post(path, {"verdict": "approved", "version": 2}, ADMINISTRATOR)
    approved = await approve(identity, client)

    assert (client["state"], made["state"]) == ("waiting", "waiting")
    assert alone.status_code == 403
    assert (approved.json()["state"], approved.json()["waiting"]) == ("open", False)
    assert await token_status(identity, approved.json()["keys"][0]["key"]) == 200


@pytest.mark.parametrize("scope", ["vaccination:read", "vaccination:write", "people:write"])
async def test_a_key_that_opens_health_records_is_shown_to_whoever_approves_and_never_to_whoever_asked(identity: Door, scope: str) -> None:
    client = await make(identity, scope)
    made = await key_for(identity, client)
    async with identity.rows() as tx:
        before = (await tx.scalars(select(ClientKey.secret_hash))).one()

    approved = await approve(identity, client)
    again = await identity.post(f"/clients/{client['id']}/approval", {"verdict": "approved", "version": 3}, HEALTH)

    given = approved.json()["keys"][0]
    assert (made["key"], before) == (None, None)
    assert (given["id"], given["state"]) == (made["id"], "open")
    assert given["key"].startswith(f"muster_{made['id']}_")
    assert await token_status(identity, given["key"]) == 200
    assert (again.status_code, again.json()["code"]) == (409, "decided_already")
    for caller in (ADMINISTRATOR, HEALTH):
        assert given["key"] not in (await identity.get("/clients", caller)).text


async def test_the_answer_with_the_key_of_an_approval_is_not_kept_for_a_repeat(identity: Door) -> None:
    client = await make(identity, "vaccination:read")
    await key_for(identity, client)
    path, verdict = f"/clients/{client['id']}/approval", {"verdict": "approved", "version": 2}

    first = await identity.post(path, verdict, HEALTH, key="once")
    again = await identity.post(path, verdict, HEALTH, key="once")

    assert (first.status_code, again.status_code, again.json()["code"]) == (200, 409, "decided_already")


async def test_a_key_that_was_refused_never_gets_a_secret(identity: Door) -> None:
    client = await make(identity, "vaccination:read")
    await key_for(identity, client)

    refused = await approve(identity, client, "refused")

    assert [(one["state"], one["key"]) for one in refused.json()["keys"]] == [("ended", None)]
    async with identity.rows() as tx:
        assert (await tx.scalars(select(ClientKey.secret_hash))).one() is None


async def test_an_administrator_who_also_holds_health_does_not_approve_what_they_asked_for(identity: Door) -> None:
    both = Caller(
        kind="person",
        account_id=ADMINISTRATOR.account_id,
        person_id=ADMINISTRATOR.person_id,
        name=ADMINISTRATOR.name,
        roles=frozenset({"administrator", "health"}),
    )
    client = await make(identity, "vaccination:read")

    answer = await identity.post(f"/clients/{client['id']}/approval", {"verdict": "approved", "version": 1}, both)

    assert (answer.status_code, answer.json()["code"]) == (409, "second_person_needed")


async def test_each_further_key_of_a_health_client_waits_again(identity: Door) -> None:
    client = await make(identity, "vaccination:read")
    await key_for(identity, client)
    first = (await approve(identity, client)).json()["keys"][0]["key"]

    made = await key_for(identity, client)
    second = {one["id"]: one["key"] for one in (await approve(identity, client)).json()["keys"]}

    assert (made["state"], made["key"]) == ("waiting", None)
    assert [given for given in second.values() if given] == [second[made["id"]]]
    assert await token_status(identity, first) == await token_status(identity, second[made["id"]]) == 200


async def test_a_key_added_while_one_decides_is_not_agreed_to_unseen(identity: Door) -> None:
    client = await make(identity, "vaccination:read")
    await key_for(identity, client)

    answer = await identity.post(f"/clients/{client['id']}/approval", {"verdict": "approved", "version": 1}, HEALTH)

    assert (answer.status_code, answer.json()["code"], answer.json()["params"]) == (409, "changed_meanwhile", {"current": 2})


async def test_two_keys_are_open_at_once_and_no_third(identity: Door) -> None:
    client = await make(identity, "people:read")
    first, second = await key_for(identity, client), await key_for(identity, client, expires_on="2021-08-31")

    third = await identity.post(f"/clients/{client['id']}/keys", {}, ADMINISTRATOR)
    for made in (first, second):
        answer = await identity.request("POST", "/clients/token", headers={"authorization": f"Bearer {made['key']}"})
        assert answer.status_code == 200
    await identity.delete(f"/clients/{client['id']}/keys/{first['id']}", ADMINISTRATOR)
    ended = await identity.request("POST", "/clients/token", headers={"authorization": f"Bearer {first['key']}"})

    assert (third.status_code, third.json()["code"]) == (409, "two_keys_already")
    assert ended.status_code == 401
    await key_for(identity, client)


async def test_keys_and_clients_end_after_their_last_day(identity: Door) -> None:
    client = await make(identity, "people:read")
    key = await key_for(identity, client, expires_on="2021-08-05")
    headers = {"authorization": f"Bearer {key['key']}"}

    set_now(now().replace(day=5, hour=12))
    on_the_day = await identity.request("POST", "/clients/token", headers=headers)
    set_now(now().replace(day=6, hour=12))
    after = await identity.request("POST", "/clients/token", headers=headers)

    assert (on_the_day.status_code, after.status_code) == (200, 401)
    assert (await identity.get("/clients", ADMINISTRATOR)).json()["items"][0]["keys"][0]["state"] == "expired"


async def test_a_client_that_ended_takes_its_keys_with_it(identity: Door) -> None:
    client = await make(identity, "people:read")
    key = await key_for(identity, client)

    assert (await identity.delete(f"/clients/{client['id']}", ADMINISTRATOR)).status_code == 204

    assert (await identity.request("POST", "/clients/token", headers={"authorization": f"Bearer {key['key']}"})).status_code == 401
    assert (await identity.post(f"/clients/{client['id']}/keys", {}, ADMINISTRATOR)).json()["code"] == "client_ended"


async def test_odd_wishes_are_told_beside_the_field(identity: Door) -> None:
    past = await identity.post("/clients", {"name": "x", "scopes": ["people:read"], "expires_on": "2021-08-03"}, ADMINISTRATOR)
    far = await identity.post("/clients", {"name": "x", "scopes": ["people:read"], "expires_on": "2031-08-03"}, ADMINISTRATOR)
    unknown = await identity.post("/clients", {"name": "x", "scopes": ["everything"], "expires_on": OPEN_UNTIL}, ADMINISTRATOR)
    await make(identity, "people:read")
    twice = await identity.post("/clients", {"name": "区卫健接种平台", "scopes": ["people:read"], "expires_on": OPEN_UNTIL}, ADMINISTRATOR)

    assert errors_of(past) == [("expires_on", "in_the_past", {})]
    assert far.json()["errors"][0]["code"] == "too_far_ahead"
    assert unknown.status_code == 422
    assert (twice.status_code, twice.json()["code"]) == (409, "name_taken")


async def test_a_wrong_key_is_nobodys(identity: Door) -> None:
    made = await key_for(identity, await make(identity, "people:read"))
    other = "x" if made["key"][-1] != "x" else "y"
    for key in ("", "muster_x", made["key"][:-1] + other, "muster_0000000000_" + "a" * 43, "a.b.c"):
        answer = await identity.request("POST", "/clients/token", headers={"authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


async def test_others_neither_see_nor_make_clients(identity: Door) -> None:
    for caller in (STAFF, LEADER):
        assert (await identity.get("/clients", caller)).status_code == 403
    wish = {"name": "x", "scopes": ["people:read"], "expires_on": OPEN_UNTIL}
    assert (await identity.post("/clients", wish, HEALTH)).status_code == 403


async def test_a_client_may_ask_for_every_scope_of_the_policy_at_once(identity: Door) -> None:
    client = await make(identity, *SCOPES)

    assert client["scopes"] == sorted(SCOPES)
    assert client["state"] == "waiting"
