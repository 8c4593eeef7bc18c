"""Coming in by the code of a sheet, on one's own phone."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared import clock
from tests.gateway.door import GatewayDoor, hidden, words_of
from tests.people import HEALTH, LIANG_YUAN, NOW
from tests.services.let_in import PASSWORD, sheet_for


async def code_for(gateway: GatewayDoor) -> str:
    """A sheet is printed for somebody."""
    code: str = (await sheet_for(gateway.doors.identity, LIANG_YUAN, HEALTH))["code"]
    return code


async def send(browser: httpx.AsyncClient, code: str, **change: Any) -> httpx.Response:
    """The form as somebody fills it in who does all right, but for the change."""
    form = {"proof": "0126", "accepted": "2021-08-01", "password": PASSWORD, "again": PASSWORD, "stay": "on", **change}
    return await browser.post(f"/activate/{code}", data={name: value for name, value in form.items() if value is not None})


async def test_the_person_comes_in_and_stays_signed_in_on_this_phone(gateway: GatewayDoor) -> None:
    code = await code_for(gateway)
    browser = gateway.stranger()

    shown = await browser.get(f"/activate/{code}")
    answer = await send(browser, code)

    assert "你是梁予安吗" in words_of(shown)
    assert "身份证号不保存" in words_of(shown)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?done=activated")
    assert "Max-Age=2592000" in answer.headers["set-cookie"]
    assert "梁予安" in words_of(await browser.get("/"))


async def test_the_form_offers_the_version_of_the_notice_that_is_accepted(gateway: GatewayDoor) -> None:
    shown = await gateway.stranger("en").get(f"/activate/{await code_for(gateway)}")

    assert 'name="accepted" value="2021-08-01"' in shown.text
    assert hidden(shown, "once")


async def test_the_short_code_can_be_typed_as_one_likes(gateway: GatewayDoor) -> None:
    code = await code_for(gateway)
    browser = gateway.stranger()

    answer = await browser.post("/activate", data={"code": f" {code.lower().replace('-', ' ')} "})

    assert answer.status_code == 303
    assert "梁予安" in words_of(await browser.get(answer.headers["location"]))


@pytest.mark.parametrize("odd", ["", "../../sessions", "a/b", "\x00", "x" * 5000, "..", "%2e%2e", "码"])
async def test_what_cannot_be_a_code_is_none(gateway: GatewayDoor, odd: str) -> None:
    answer = await gateway.stranger("en").post("/activate", data={"code": odd})

    assert answer.status_code == 422
    assert 'id="f_code_error"' in answer.text


async def test_a_misread_code_is_said_beside_the_field_and_stays_to_be_mended(gateway: GatewayDoor) -> None:
    browser = gateway.stranger("en")

    sent = await browser.post("/activate", data={"code": "7K3M9-QXT2W"})
    answer = await browser.get(sent.headers["location"])

    assert answer.status_code == 404
    assert "There is no such code" in words_of(answer)
    assert 'id="f_code_error"' in answer.text
    assert 'value="7K3M9-QXT2W"' in answer.text


@pytest.mark.parametrize("odd", ["AAAAA-BBBBB", "..", "%2e%2e", "%00", "%2Fsessions", "x" * 300])
async def test_an_address_without_a_code_says_there_is_none(gateway: GatewayDoor, odd: str) -> None:
    answer = await gateway.stranger("en").get(f"/activate/{odd}")

    assert answer.status_code in (404, 303)


async def test_a_wrong_proof_says_how_many_tries_are_left_and_after_five_the_code_is_dead(gateway: GatewayDoor) -> None:
    code = await code_for(gateway)
    browser = gateway.stranger("en")

    first = await send(browser, code, proof="9999")
    for _ in range(3):
        await send(browser, code, proof="9999")
    fifth = await send(browser, code, proof="9999")
    right = await send(browser, code)

    assert first.status_code == 409
    assert 'id="f_proof_error"' in first.text
    assert "4 tries are left" in words_of(first)
    assert 'value="9999"' in first.text
    assert "This code is dead" in words_of(fifth)
    assert "This code is dead" in words_of(right)


async def test_a_code_works_once(gateway: GatewayDoor) -> None:
    code = await code_for(gateway)
    await send(gateway.stranger(), code)

    answer = await send(gateway.stranger("en"), code)

    assert answer.status_code == 409
    assert "This code has been used" in words_of(answer)
    assert 'href="/signin"' in answer.text


async def test_a_code_expires_and_says_what_helps(gateway: GatewayDoor) -> None:
    code = await code_for(gateway)
    clock.set_now(NOW + timedelta(days=8))

    answer = await gateway.stranger("en").get(f"/activate/{code}")

    assert "expired" in words_of(answer)
    assert "print a new one" in words_of(answer)


async def test_a_newer_code_ends_the_one_before(gateway: GatewayDoor) -> None:
    code = await code_for(gateway)
    await code_for(gateway)

    assert "A newer code" in words_of(await gateway.stranger("en").get(f"/activate/{code}"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"accepted": None}, "accepted"),
        ({"again": "five hills and a river"}, "again"),
        ({"password": "short", "again": "short"}, "password"),
        ({"password": "20020126 20020126", "again": "20020126 20020126"}, "password"),
        ({"proof": None}, "proof"),
        ({"proof": "\x00"}, "proof"),
        ({"accepted": "2020-01-01"}, "accepted"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field_and_the_code_lives(
    gateway: GatewayDoor, change: dict[str, str | None], field: str
) -> None:
    code = await code_for(gateway)
    browser = gateway.stranger("en")

    answer = await send(browser, code, **change)

    assert answer.status_code in (409, 422)
    assert f'id="f_{field}_error"' in answer.text
    assert (await send(browser, code)).status_code == 303


async def test_with_identity_away_no_try_is_used_up(gateway: GatewayDoor) -> None:
    code = await code_for(gateway)
    gateway.down("identity")

    answer = await send(gateway.stranger("en"), code)

    assert answer.status_code == 503
    assert "no try was used up" in words_of(answer)


async def test_the_notice_can_be_read_in_both_languages(gateway: GatewayDoor) -> None:
    for lang in ("zh-Hans", "en"):
        answer = await gateway.stranger(lang).get("/privacy")

        assert "Identity numbers are not kept" in words_of(answer)
        assert "身份证号不保存" in words_of(answer)
