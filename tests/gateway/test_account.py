"""One's own account: devices, password, sign-ins."""

import httpx
import pytest

from services.identity.hashing import hashed
from services.identity.rules import NOTICE_VERSION
from services.identity.tables import Account, Role
from shared.clock import now
from tests.gateway.door import GatewayDoor, partial, words_of
from tests.people import HE_RUONING, HEALTH, LIANG_YUAN, ZHONG_YIFAN
from tests.services.let_in import PASSWORD, has_account, sheet_for

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36"
NEW = "a ferry crosses at seven"


async def signed_in(gateway: GatewayDoor, agent: str, lang: str = "en", stay: str = "") -> httpx.AsyncClient:
    """Liang Yu'an signs in with a browser."""
    browser = gateway.stranger(lang)
    browser.headers["user-agent"] = agent
    answer = await browser.post("/signin", data={"username": LIANG_YUAN.number, "password": PASSWORD, "stay": stay})
    assert answer.status_code == 303, answer.text
    return browser


def ends(answer: httpx.Response) -> list[str]:
    """The addresses that end a device on the page."""
    import re

    return re.findall(r'action="(/me/sessions/[^"]+/end)"', answer.text)


async def test_each_device_is_listed_with_what_it_is(gateway: GatewayDoor) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    await signed_in(gateway, PHONE, stay="on")
    browser = await signed_in(gateway, FIREFOX)

    words = words_of(await browser.get("/me"))

    assert "Firefox · Linux" in words
    assert "Chrome · Android" in words
    assert "ends after 30 idle minutes" in words
    assert "stays signed in until 3 Sep" in words


async def test_a_lost_phone_is_signed_out_from_here(gateway: GatewayDoor) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    phone = await signed_in(gateway, PHONE, stay="on")
    browser = await signed_in(gateway, FIREFOX)
    (address,) = ends(await browser.get("/me"))

    first, again = await browser.post(address), await browser.post(address)

    assert first.headers["location"] == again.headers["location"] == "/me?done=device_signed_out"
    gateway.app.state.sessions.known.clear()  # as the event that tells of it does
    assert (await phone.get("/me")).status_code == 303
    assert (await browser.get("/me")).status_code == 200


async def test_nobody_ends_the_device_of_another(gateway: GatewayDoor) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    await signed_in(gateway, PHONE)
    browser = await signed_in(gateway, FIREFOX)
    (address,) = ends(await browser.get("/me"))

    await (await gateway.browser(HE_RUONING)).post(address)

    assert ends(await browser.get("/me")) == [address]


@pytest.mark.parametrize("odd", ["x", "0198a5c0-0000-7000-8000-000000000011"])
async def test_a_device_that_is_none_ends_nothing(gateway: GatewayDoor, odd: str) -> None:
    answer = await (await gateway.browser(HE_RUONING)).post(f"/me/sessions/{odd}/end")

    assert answer.status_code in (303, 404)


async def test_the_password_is_changed_and_other_devices_are_out(gateway: GatewayDoor) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    phone = await signed_in(gateway, PHONE)
    browser = await signed_in(gateway, FIREFOX)

    answer = await browser.post("/me/password", data={"old": PASSWORD, "new": NEW, "again": NEW})

    assert answer.headers["location"] == "/me?done=password_changed"
    gateway.app.state.sessions.known.clear()
    assert (await phone.get("/me")).status_code == 303
    assert (await browser.get("/me")).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"old": "not the old one"}, "old"),
        ({"again": "another"}, "again"),
        ({"new": "short", "again": "short"}, "new"),
        ({"old": ""}, "old"),
        ({"new": "\x00" * 12, "again": "\x00" * 12}, "new"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(gateway: GatewayDoor, change: dict[str, str], field: str) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    browser = await signed_in(gateway, FIREFOX)

    answer = await browser.post("/me/password", data={"old": PASSWORD, "new": NEW, "again": NEW, **change})

    assert answer.status_code in (409, 422)
    assert f'id="f_{field}_error"' in answer.text
    assert (await browser.get("/me")).status_code == 200


async def test_a_part_of_the_demo_has_no_password_to_change(gateway: GatewayDoor) -> None:
    answer = await (await gateway.browser(HE_RUONING, "en")).post("/me/password", data={"old": PASSWORD, "new": NEW, "again": NEW})

    assert answer.status_code == 404
    assert "no password yet" in words_of(answer)


async def test_failed_sign_ins_are_shown_to_whom_they_were_aimed_at_and_to_nobody_else(gateway: GatewayDoor) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    await gateway.stranger().post("/signin", data={"username": LIANG_YUAN.number, "password": "wrong wrong wrong"})

    own = words_of(await (await signed_in(gateway, FIREFOX)).get("/me"))
    administrators = words_of(await (await gateway.browser(ZHONG_YIFAN, "en")).get("/me"))

    assert "Wrong password" in own
    assert "Wrong password" not in administrators


async def test_with_identity_away_each_part_says_so(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING, "en")
    await browser.get("/me")
    gateway.down("identity")

    shown = await browser.get("/me")
    sent = await browser.post("/me/password", data={"old": PASSWORD, "new": NEW, "again": NEW})

    assert shown.status_code == 200
    assert words_of(shown).count("cannot be reached now") == 2
    assert sent.status_code == 503


async def test_the_list_of_devices_can_be_asked_for_alone(gateway: GatewayDoor) -> None:
    answer = await (await gateway.browser(HE_RUONING)).get("/me", headers=partial("devices"))

    assert 'id="devices"' in answer.text
    assert "<html" not in answer.text


async def keeper_of_the_setup(gateway: GatewayDoor, lang: str = "en") -> httpx.AsyncClient:
    """Whoever came in by the set-up, signed in: their account belongs to no person yet."""
    account = Account(username="keeper", name="keeper of the set-up", password_hash=await hashed(PASSWORD), created_at=now())
    await gateway.doors.identity.has(account)
    await gateway.doors.identity.has(Role(account_id=account.id, role="health", state="given", asked_at=now(), decided_at=now()))
    browser = gateway.stranger(lang)
    assert (await browser.post("/signin", data={"username": "keeper", "password": PASSWORD})).status_code == 303
    return browser


async def test_whoever_came_in_by_the_setup_says_who_they_are(gateway: GatewayDoor) -> None:
    browser = await keeper_of_the_setup(gateway)
    shown = await browser.get("/me")
    sheet = await sheet_for(gateway.doors.identity, LIANG_YUAN, HEALTH)
    form = {"code": sheet["code"], "proof": LIANG_YUAN.number, "accepted": NOTICE_VERSION}

    refused = await browser.post("/me/person", data=form | {"proof": "0000"})
    said = await browser.post("/me/person", data=form)

    assert "Say who you are" in words_of(shown)
    assert "cannot be reached now" not in words_of(shown)
    assert refused.status_code == 409
    assert "These digits or this staff number do not belong to the code. 4 tries are left." in words_of(refused)
    assert f'value="{sheet["code"]}"' in refused.text
    assert said.headers["location"] == "/me?done=said_who"
    after = words_of(await browser.get("/me?done=said_who"))
    assert "Your account belongs to your person now" in after
    assert LIANG_YUAN.name in after
    assert "Say who you are" not in after


async def test_whoever_has_an_account_already_is_sent_to_sign_in_with_that_one(gateway: GatewayDoor) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    browser = await keeper_of_the_setup(gateway)
    sheet = await sheet_for(gateway.doors.identity, LIANG_YUAN, HEALTH)

    said = await browser.post("/me/person", data={"code": sheet["code"], "proof": LIANG_YUAN.number, "accepted": NOTICE_VERSION})

    assert said.headers["location"] == "/signin?done=joined"
    gateway.app.state.sessions.known.clear()  # as the event that tells of it does
    assert "sign in with your staff number" in words_of(await browser.get("/signin?done=joined"))
    again = await browser.post("/signin", data={"username": LIANG_YUAN.number, "password": PASSWORD})
    assert again.headers["location"] == "/"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"code": "", "proof": "0115", "accepted": NOTICE_VERSION}, "This is needed."),
        ({"code": "../setup", "proof": "0115", "accepted": NOTICE_VERSION}, "There is no such code"),
        ({"code": "7K3M9-QXT2W", "proof": "0115", "accepted": NOTICE_VERSION}, "There is no such code"),
        ({"code": "7K3M9-QXT2W", "proof": "0115"}, "Read the notice and accept it"),
    ],
)
async def test_what_is_wrong_about_who_one_is_stands_beside_its_field(gateway: GatewayDoor, form: dict[str, str], words: str) -> None:
    browser = await keeper_of_the_setup(gateway)

    answer = await browser.post("/me/person", data=form)

    assert answer.status_code in (404, 422)
    assert words in words_of(answer)
    assert 'value="0115"' in answer.text


async def test_whoever_belongs_to_a_person_is_not_asked_who_they_are(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING, "en")

    assert "Say who you are" not in words_of(await browser.get("/me"))
    answer = await browser.post("/me/person", data={"code": "7K3M9-QXT2W", "proof": "0115", "accepted": NOTICE_VERSION})
    assert answer.headers["location"] == "/me"
