"""The demo's clock: set to a local time, back to where one was, and a time that is none is said so."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared import clock
from shared.settings import settings
from tests.gateway.door import HOST, GatewayDoor, words_of
from tests.people import LIANG_YUAN


async def test_the_clock_is_set_and_one_is_back_where_one_was(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN, "en")

    answer = await browser.post("/demo/clock", data={"at": "2021-08-05T16:25"}, headers={"referer": f"{HOST}/me/looks?page=2&done=saved"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/me/looks?page=2&done=clock_set")
    assert clock.now().isoformat().startswith("2021-08-05T08:25")
    words = words_of(await browser.get("/?done=clock_set"))
    assert "the clock shows 5 Aug 16:25" in words
    assert "The demo's clock is set" in words


async def test_the_clock_goes_back_too_and_for_whoever_is_not_signed_in(gateway: GatewayDoor) -> None:
    answer = await gateway.stranger().post("/demo/clock", data={"at": "2021-07-01T00:00"}, headers={"referer": f"{HOST}/signin"})

    assert answer.headers["location"] == "/signin?done=clock_set"
    assert clock.today().isoformat() == "2021-07-01"


@pytest.mark.parametrize("referer", ["https://elsewhere.example/x", "", f"{HOST}//evil", f"{HOST}/demo/clock"])
async def test_from_elsewhere_one_comes_to_the_first_page(gateway: GatewayDoor, referer: str) -> None:
    answer = await gateway.stranger().post("/demo/clock", data={"at": "2021-08-05T16:25"}, headers={"referer": referer})

    assert answer.headers["location"] == "/?done=clock_set"


@pytest.mark.parametrize("odd", ["", "yesterday", "2021-02-30T10:00", "1850-01-01T00:00", "9999-12-31T23:59", "\x00", "1" * 5000])
async def test_a_time_that_is_none_is_said_beside_the_field_and_nothing_moves(gateway: GatewayDoor, odd: str) -> None:
    before = clock.today()

    answer = await gateway.stranger("en").post("/demo/clock", data={"at": odd})

    assert answer.status_code == 422
    assert 'id="f_at_error"' in answer.text
    assert clock.today() == before


async def test_with_identity_away_the_clock_stays_and_that_is_said(gateway: GatewayDoor) -> None:
    gateway.down("identity")

    answer = await gateway.stranger("en").post("/demo/clock", data={"at": "2021-08-05T16:25"})

    assert answer.status_code == 503
    assert "what was sent is not done twice" in words_of(answer)


async def test_a_real_system_has_no_such_clock(gateway: GatewayDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO", "false")
    settings.cache_clear()
    try:
        answer = await gateway.stranger().post("/demo/clock", data={"at": "2021-08-05T16:25"})
    finally:
        monkeypatch.undo()
        settings.cache_clear()

    assert answer.status_code == 404


async def test_whoever_has_set_the_clock_comes_back_when_every_process_has_seen_it(
    gateway: GatewayDoor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLOCK_FILE", str(tmp_path / "clock.json"))
    monkeypatch.setattr(clock, "_seen", clock._seen)  # put back after it
    settings.cache_clear()
    try:
        clock.set_now(datetime(2021, 8, 4, 0, 0, tzinfo=UTC))
        browser = await gateway.browser(LIANG_YUAN, "en")

        def elsewhere(moment: datetime) -> None:
            clock.now()  # this process has just looked, and will not look again at once
            offset = (moment - clock.real_now()).total_seconds()
            (tmp_path / "clock.json").write_text(json.dumps({"offset_seconds": offset}), encoding="utf-8")

        monkeypatch.setattr("services.identity.demo.set_now", elsewhere)
        await browser.post("/demo/clock", data={"at": "2021-08-05T16:25"}, headers={"referer": f"{HOST}/"})

        assert clock.now().isoformat().startswith("2021-08-05T08:25")
    finally:
        monkeypatch.undo()
        settings.cache_clear()
