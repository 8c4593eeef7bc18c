"""Signing in and out: by number and password, by a part of the demo, and what is said when it does not work."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from services.identity.tables import Session
from tests.gateway.door import GatewayDoor, words_of
from tests.people import FU_XINGJIAN, HE_RUONING, LIANG_YUAN
from tests.services.let_in import PASSWORD, has_account


async def test_who_signs_in_goes_where_they_wanted_to_go(gateway: GatewayDoor) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    browser = gateway.stranger()

    answer = await browser.post("/signin", data={"username": LIANG_YUAN.number, "password": PASSWORD, "next": "/me?x=1"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/me?x=1")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("muster="))
    assert cookie.startswith("muster=")
    assert "HttpOnly" in cookie
    assert "Max-Age" not in cookie  # a desk forgets when the browser closes
    assert "梁予安" in words_of(await browser.get("/me"))


async def test_on_their_own_phone_they_stay_signed_in_for_30_days(gateway: GatewayDoor) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)

    answer = await gateway.stranger().post("/signin", data={"username": LIANG_YUAN.number, "password": PASSWORD, "stay": "on"})

    assert "Max-Age=2592000" in answer.headers["set-cookie"]


@pytest.mark.parametrize("goal", ["//evil.example", "/\\evil.example", "https://evil.example/", "\\\\evil", "/x\x00"])
async def test_nobody_is_sent_to_another_site(gateway: GatewayDoor, goal: str) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)

    answer = await gateway.stranger().post("/signin", data={"username": LIANG_YUAN.number, "password": PASSWORD, "next": goal})

    assert answer.headers["location"] == "/"
    shown = await gateway.stranger().get("/signin", params={"next": goal})
    assert shown.text.count('<input type="hidden" name="next" value="/">') == 2


@pytest.mark.parametrize(("lang", "said"), [("zh-Hans", "用户名或密码不对"), ("en", "The user name or the password is not right.")])
async def test_a_wrong_password_is_said_beside_the_field_and_the_number_stays(gateway: GatewayDoor, lang: str, said: str) -> None:
    answer = await gateway.stranger(lang).post("/signin", data={"username": "20020126", "password": "not this one"})

    assert answer.status_code == 401
    assert said in words_of(answer)
    assert 'value="20020126"' in answer.text
    assert "not this one" not in answer.text


async def test_nothing_typed_is_said_beside_both_fields(gateway: GatewayDoor) -> None:
    answer = await gateway.stranger("en").post("/signin", data={})

    assert answer.status_code == 422
    assert 'id="f_username_error"' in answer.text
    assert 'id="f_password_error"' in answer.text


@pytest.mark.parametrize("odd", ["\x00", "a\nb", "𠀀" * 300, "x" * 100_000])
async def test_odd_names_are_refused_and_nothing_breaks(gateway: GatewayDoor, odd: str) -> None:
    answer = await gateway.stranger().post("/signin", data={"username": odd, "password": odd})

    assert answer.status_code in (401, 422)


async def test_a_field_sent_twice_is_one_field(gateway: GatewayDoor) -> None:
    answer = await gateway.stranger().post("/signin", data={"username": ["a", "b"], "password": ["c", "d"]})

    assert answer.status_code == 401


async def test_too_many_wrong_passwords_lock_and_say_for_how_long(gateway: GatewayDoor) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    browser = gateway.stranger("en")
    for _ in range(10):
        answer = await browser.post("/signin", data={"username": LIANG_YUAN.number, "password": "wrong wrong wrong"})

    answer = await browser.post("/signin", data={"username": LIANG_YUAN.number, "password": PASSWORD})

    assert answer.status_code == 429
    assert "opens by itself in 15 minutes" in words_of(answer)


async def test_a_browser_that_signed_in_before_is_not_locked_by_a_prankster(gateway: GatewayDoor) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    own, prankster = gateway.stranger("en"), gateway.stranger("en")
    await own.post("/signin", data={"username": LIANG_YUAN.number, "password": PASSWORD})
    key = own.cookies["muster-device"]
    await own.post("/signout")
    for _ in range(11):
        refused = await prankster.post("/signin", data={"username": LIANG_YUAN.number, "password": "wrong wrong wrong"})

    answer = await own.post("/signin", data={"username": LIANG_YUAN.number, "password": PASSWORD})

    assert "Locked after too many wrong passwords" in words_of(refused)
    assert answer.status_code == 303
    assert own.cookies["muster-device"] == key
    kept = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("muster-device="))
    assert all(word in kept for word in ("HttpOnly", "SameSite=strict", "Path=/"))


@pytest.mark.parametrize("odd", ["", "x", "a" * 44, "a b" * 14])
async def test_a_device_key_that_is_none_of_ours_is_left_out(gateway: GatewayDoor, odd: str) -> None:
    await has_account(gateway.doors.identity, LIANG_YUAN)
    browser = gateway.stranger()
    browser.headers["cookie"] = f"muster-device={odd}"

    answer = await browser.post("/signin", data={"username": LIANG_YUAN.number, "password": PASSWORD})

    assert answer.status_code == 303


async def test_the_demo_shows_its_cast_and_a_part_can_be_taken(gateway: GatewayDoor) -> None:
    browser = gateway.stranger()

    shown = await browser.get("/signin")
    taken = await browser.post("/signin/part", data={"as": str(HE_RUONING.id), "next": "/people"})

    assert "何若宁" in words_of(shown)
    assert "健康档案员" in words_of(shown)
    assert (taken.status_code, taken.headers["location"]) == (303, "/people")
    assert "何若宁" in words_of(await browser.get("/me"))


@pytest.mark.parametrize("nobody", ["", "no id", "0198a5c0-0000-7000-8000-000000000011"])
async def test_a_part_that_nobody_has_is_refused_in_words(gateway: GatewayDoor, nobody: str) -> None:
    answer = await gateway.stranger("en").post("/signin/part", data={"as": nobody})

    assert answer.status_code == 404
    assert "There is no such person" in words_of(answer)


async def test_whoever_takes_another_part_leaves_no_session_behind(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    before = browser.cookies["muster"]

    await browser.post("/signin/part", data={"as": str(FU_XINGJIAN.id)})

    again = gateway.stranger()
    again.cookies.set("muster", before)
    assert (await again.get("/me")).status_code == 303


async def test_signing_out_ends_the_session_and_forgets_it_here(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    secret = browser.cookies["muster"]

    answer = await browser.post("/signout")

    assert answer.headers["location"] == "/signin?done=signed_out"
    assert "Clear-Site-Data" in answer.headers
    browser.cookies.set("muster", secret)
    assert (await browser.get("/me")).status_code == 303
    async with gateway.doors.identity.rows() as tx:
        assert (await tx.scalars(select(Session.ended_at))).one() is not None


async def test_signing_out_twice_is_signing_out(gateway: GatewayDoor) -> None:
    browser = gateway.stranger()

    assert (await browser.post("/signout")).status_code == 303
    assert (await browser.post("/signout")).status_code == 303


async def test_with_identity_away_the_page_says_so_and_nothing_is_lost(gateway: GatewayDoor) -> None:
    gateway.down("identity")
    browser = gateway.stranger("en")

    shown = await browser.get("/signin")
    sent = await browser.post("/signin", data={"username": "20020126", "password": "four hills"})

    assert shown.status_code == 200
    assert "cannot be reached now" in words_of(shown)
    assert sent.status_code == 503
    assert 'value="20020126"' in sent.text


async def test_whoever_is_known_reads_that_identity_is_away(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING, "en")
    assert "as it was some minutes ago" not in words_of(await browser.get("/menu"))
    gateway.down("identity")
    for known in gateway.app.state.sessions.known.values():
        known.asked_at -= 60

    assert "as it was some minutes ago" in words_of(await browser.get("/menu"))


async def test_who_cannot_be_recognised_while_identity_is_away_is_told_so_and_not_sent_to_sign_in(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING, "en")
    gateway.app.state.sessions.known.clear()  # a gateway that was just started knows nobody
    gateway.down("identity")

    look = await browser.get("/people")
    act = await browser.post(f"/inbox/{uuid4()}/acknowledgement", data={"once": "one"})

    assert (look.status_code, act.status_code) == (503, 503)
    assert "Signing in and accounts cannot be reached now" in words_of(look)
    assert "Signing in and accounts cannot be reached now" in words_of(act)
