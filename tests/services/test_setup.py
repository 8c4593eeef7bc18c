"""The set-up: the operator's code makes the first administrator and the first who keeps health records, and then ends."""

import pytest
from sqlalchemy import select

from services.identity.app import begin
from services.identity.setup_code import needed, print_new
from services.identity.tables import SetupCode, System
from shared.auth import verify
from shared.settings import settings
from tests.doors import Door, errors_of
from tests.people import LIANG_YUAN
from tests.services.let_in import PASSWORD, real_system, tell, token_for

__all__ = ["real_system"]

ADMIN = {"name": "林照野", "username": "Warden", "password": PASSWORD}
KEEPER = {"name": "何若宁", "username": "keeper", "password": PASSWORD}


@pytest.fixture(autouse=True)
async def _empty(identity: Door, real_system: None) -> None:
    await begin(identity.database)


async def test_the_first_page_asks_for_the_code_until_there_is_an_administrator(identity: Door) -> None:
    code = await print_new(identity.database, "administrator")
    before = (await identity.get("/setup")).json()

    answer = await identity.post("/setup", {"code": code.lower(), **ADMIN})

    assert before == {"needed": True, "health_needed": True, "demo": False}
    assert answer.status_code == 201
    caller = verify((await token_for(identity, answer.json()["secret"])).json()["token"])
    assert (caller.person_id, caller.name) == (None, "林照野")
    assert caller.roles == {"administrator"}
    assert (await identity.get("/setup")).json() == {"needed": False, "health_needed": True, "demo": False}
    again = await identity.post("/sessions", {"username": "warden", "password": PASSWORD})
    assert again.status_code == 201


async def test_the_first_who_keeps_health_records_chooses_their_own_password_and_the_code_ends(identity: Door) -> None:
    await identity.post("/setup", {"code": await print_new(identity.database, "administrator"), **ADMIN})
    code = await print_new(identity.database, "health")

    keeper = await identity.post("/setup/health", {"code": code, **KEEPER})
    third = await identity.post("/setup/health", {"code": code, **KEEPER, "username": "third"})
    fourth = await identity.post("/setup", {"code": code, **ADMIN, "username": "fourth"})

    assert keeper.status_code == 201
    assert (await token_for(identity, keeper.json()["secret"])).json()["roles"] == ["health"]
    assert third.json()["code"] == fourth.json()["code"] == "setup_code_wrong"
    assert not await needed(identity.database)


async def test_the_administrator_does_not_begin_keeping_health_records_with_their_own_code(identity: Door) -> None:
    code, for_health = await print_new(identity.database, "administrator"), await print_new(identity.database, "health")

    before = await identity.post("/setup/health", {"code": code, **KEEPER})
    wrong = await identity.post("/setup", {"code": for_health, **ADMIN})
    administrator = await identity.post("/setup", {"code": code, **ADMIN})
    after = await identity.post("/setup/health", {"code": code, **KEEPER})
    twice = await identity.post("/setup", {"code": code, **ADMIN, "username": "twice"})
    keeper = await identity.post("/setup/health", {"code": for_health, **KEEPER})

    assert {one.json()["code"] for one in (before, wrong, after, twice)} == {"setup_code_wrong"}
    assert (administrator.status_code, keeper.status_code) == (201, 201)


async def test_whoever_keeps_health_records_may_begin_before_the_administrator(identity: Door) -> None:
    code, for_health = await print_new(identity.database, "administrator"), await print_new(identity.database, "health")
    assert await needed(identity.database) == ["administrator", "health"]

    assert (await identity.post("/setup/health", {"code": for_health, **KEEPER})).status_code == 201
    assert await needed(identity.database) == ["administrator"]
    assert (await identity.post("/setup", {"code": code, **ADMIN})).status_code == 201


async def test_a_new_code_ends_the_one_before_and_both_stay_on_record(identity: Door) -> None:
    before, after = [await print_new(identity.database, "administrator") for _ in range(2)]

    assert (await identity.post("/setup", {"code": before, **ADMIN})).json()["code"] == "setup_code_wrong"
    assert (await identity.post("/setup", {"code": after, **ADMIN})).status_code == 201
    async with identity.rows() as tx:
        rows = (await tx.scalars(select(SetupCode).order_by(SetupCode.printed_at))).all()
    assert [row.used_for for row in rows] == [[], ["administrator"]]


async def test_the_operator_can_always_make_an_administrator_but_not_a_second_keeper(identity: Door) -> None:
    await identity.post("/setup", {"code": await print_new(identity.database, "administrator"), **ADMIN})
    await identity.post("/setup/health", {"code": await print_new(identity.database, "health"), **KEEPER})
    code, for_health = await print_new(identity.database, "administrator"), await print_new(identity.database, "health")

    keeper = await identity.post("/setup/health", {"code": for_health, **KEEPER, "username": "second"})
    administrator = await identity.post("/setup", {"code": code, **ADMIN, "username": "second"})

    assert (keeper.status_code, keeper.json()["code"]) == (409, "second_person_needed")
    assert administrator.status_code == 201


async def test_a_username_is_nobody_elses_number_or_name(identity: Door) -> None:
    await tell_without_system(identity)
    await identity.post("/setup", {"code": await print_new(identity.database, "administrator"), **ADMIN})
    code = await print_new(identity.database, "administrator")

    taken = await identity.post("/setup", {"code": code, **ADMIN, "username": "warden"})
    number = await identity.post("/setup", {"code": code, **ADMIN, "username": LIANG_YUAN.number})

    assert errors_of(taken) == [("username", "username_taken", {})]
    assert number.status_code == 422


async def test_a_demo_that_starts_again_before_it_was_loaded_takes_the_same_code(identity: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async with identity.rows() as tx:
        (await tx.get_one(System, 1)).demo = True
    monkeypatch.setenv("DEMO", "true")
    settings.cache_clear()

    await begin(identity.database)
    await begin(identity.database)

    answer = await identity.post("/setup", {"code": settings().demo_setup_code.get_secret_value(), **ADMIN})
    assert answer.status_code == 201


async def test_a_demo_can_never_become_a_real_system(identity: Door) -> None:
    async with identity.rows() as tx:
        (await tx.get_one(System, 1)).demo = True

    with pytest.raises(SystemExit, match="this database is a demo and can never become real"):
        await begin(identity.database)


async def tell_without_system(identity: Door) -> None:
    async with identity.rows() as tx:
        await tx.delete(await tx.get_one(System, 1))
    await tell(identity)
