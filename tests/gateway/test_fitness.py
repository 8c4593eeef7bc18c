"""Fitness on pages: one's own on the first page, everybody's for the health records office; and what would put it right."""

from typing import Any

from tests.gateway.door import GatewayDoor, partial, words_of
from tests.people import HEALTH, LIANG_YUAN, Person


async def dose(gateway: GatewayDoor, person: Person, product: str, given_on: str, programme: str = "tetanus") -> None:
    """A dose of that programme is on record."""
    wish: dict[str, Any] = {"person_id": str(person.id), "programme": programme, "product": product, "given_on": given_on}
    answer = await gateway.doors.personnel.post("/doses", wish | {"source": "own_record"}, HEALTH)
    assert answer.status_code == 201, answer.text


async def test_the_first_page_says_what_one_is_fit_for_and_what_would_put_it_right(gateway: GatewayDoor) -> None:
    for given_on in ("2021-03-12", "2021-04-20"):
        await dose(gateway, LIANG_YUAN, "bbibp-corv", given_on, "covid19")

    shown = words_of(await (await gateway.browser(LIANG_YUAN, "en")).get("/", headers=partial("fitness")))

    assert "Testing point fit, without an end" in shown
    assert "Flood rescue Tetanus vaccination: 1 dose puts it right, possible now Not fit" in shown


async def test_without_personnel_the_block_alone_is_missing(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN, "en")
    await browser.get("/")
    gateway.down("personnel")

    answer = await browser.get("/")

    assert answer.status_code == 200
    assert "What you are fit for cannot be reached now" in words_of(answer)
