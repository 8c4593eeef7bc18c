"""The first page of an empty system: the administrator, then whoever keeps the health records, then nothing any more."""

from collections.abc import AsyncIterator

import pytest

from services.identity.tables import System
from shared.clock import now
from shared.settings import settings
from tests.gateway.door import GatewayDoor, words_of
from tests.services.let_in import PASSWORD, setup_code

WISH = {"name": "林照野", "username": "linzhaoye", "password": PASSWORD, "again": PASSWORD, "place": "administrator"}
HEALTH = {"name": "沈清和", "username": "shenqinghe", "password": PASSWORD, "again": PASSWORD, "place": "health"}


@pytest.fixture
async def empty(doors: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GatewayDoor]:
    """The gateway of a real system in which nobody is."""
    from tests.doors import Doors

    assert isinstance(doors, Doors)
    monkeypatch.setenv("DEMO", "false")
    settings.cache_clear()
    await doors.identity.has(System(id=1, demo=False, began_at=now()))
    door = GatewayDoor(doors)
    yield door
    await door.close()
    monkeypatch.undo()
    settings.cache_clear()


async def test_an_empty_system_asks_for_the_setup_code(empty: GatewayDoor) -> None:
    browser = empty.stranger("en")

    first = await browser.get("/")
    second = await browser.get(first.headers["location"])

    assert second.headers["location"] == "/setup"
    assert "Setup code" in words_of(await browser.get("/setup"))


async def test_the_code_makes_the_administrator_who_reads_what_comes_next(empty: GatewayDoor) -> None:
    browser = empty.stranger("en")

    made = await browser.post("/setup", data={**WISH, "code": await setup_code(empty.doors.identity, "administrator")})
    home = await browser.get("/")

    assert (made.status_code, made.headers["location"]) == (303, "/?done=set_up")
    assert "Next: somebody who keeps the health records" in words_of(home)
    assert "with the second setup code from the console" in words_of(home)
    assert "/roles" in home.text


async def test_a_second_person_begins_with_a_code_of_their_own_and_then_it_is_over(empty: GatewayDoor) -> None:
    await empty.stranger().post("/setup", data={**WISH, "code": await setup_code(empty.doors.identity, "administrator")})
    code = await setup_code(empty.doors.identity)
    browser = empty.stranger("en")

    asked = await browser.get("/setup")
    made = await browser.post("/setup", data={**HEALTH, "code": code.lower().replace("-", " ")})
    again = await empty.stranger("en").post("/setup", data={**HEALTH, "username": "third", "code": code})

    assert "Begin keeping the health records" in words_of(asked)
    assert made.status_code == 303
    assert "Next: bring in the staff list" in words_of(await browser.get("/"))
    assert again.status_code in (404, 409)
    assert "Nothing is left to set up" in words_of(await empty.stranger("en").get("/setup"))


async def test_a_wrong_code_is_said_beside_the_field_and_what_was_typed_stays(empty: GatewayDoor) -> None:
    answer = await empty.stranger("en").post("/setup", data={**WISH, "code": "AAAAA-BBBBB-CCCCC"})

    assert answer.status_code == 409
    assert 'id="f_code_error"' in answer.text
    assert 'value="林照野"' in answer.text
    assert PASSWORD not in answer.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"again": "something else here"}, "again"),
        ({"username": "1abc"}, "username"),
        ({"username": "林"}, "username"),
        ({"password": "short", "again": "short"}, "password"),
        ({"name": "a\x00b"}, "name"),
        ({"name": ""}, "name"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(empty: GatewayDoor, change: dict[str, str], field: str) -> None:
    answer = await empty.stranger("en").post(
        "/setup", data={**WISH, "code": await setup_code(empty.doors.identity, "administrator"), **change}
    )

    assert answer.status_code == 422
    assert f'id="f_{field}_error"' in answer.text


async def test_a_demo_is_never_set_up_by_hand(gateway: GatewayDoor) -> None:
    answer = await gateway.stranger().get("/setup")

    assert answer.headers["location"] == "/signin"


async def test_with_identity_away_the_form_stays_and_says_so(empty: GatewayDoor) -> None:
    empty.down("identity")

    answer = await empty.stranger("en").post("/setup", data={**WISH, "code": "AAAAA-BBBBB-CCCCC"})

    assert answer.status_code == 503
    assert 'value="林照野"' in answer.text
