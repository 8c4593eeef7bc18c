"""The page machinery by itself: whole page or block, the door, errors, languages, what every page shows."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint
from starlette.responses import Response

from gateway.layout.page import pages as frame
from gateway.pages import NotSignedIn, Pages, Static, error_page, page, sign_in_first, static
from gateway.styleguide.page import pages as styleguide

PARTIAL = {"HX-Request-Type": "partial"}
pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A gateway of the frame alone; the header `As` says with which roles one is signed in."""
    app = FastAPI()
    trial = Pages()

    @trial.get("/broken", open_to_all="it only breaks")
    async def broken(request: Request) -> Response:
        return error_page(request, 500, "7F3A-21C0")

    @trial.post("/act")
    async def act(request: Request) -> Response:
        return page(request, "layout/menu.html")

    @app.middleware("http")
    async def session(request: Request, call_next: RequestResponseEndpoint) -> Response:
        roles = request.headers.get("as")
        request.state.me = {"name": "何若宁", "roles": roles.split(), "person": None, "kind": "desk", "account_id": "x"} if roles else None
        request.state.now = datetime(2021, 8, 4, 7, 40, tzinfo=ZoneInfo("Asia/Shanghai"))
        return await call_next(request)

    async def not_found(request: Request, _: Exception) -> Response:
        return error_page(request, 404, "7F3A-21C0")

    app.add_exception_handler(HTTPException, not_found)
    app.add_exception_handler(NotSignedIn, sign_in_first)
    app.mount("/static", Static())
    for router in (frame, styleguide, trial):
        app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


async def test_a_page_is_whole_and_its_block_comes_alone(browser: httpx.AsyncClient) -> None:
    whole = await browser.get("/styleguide")
    block = await browser.get("/styleguide", headers={**PARTIAL, "HX-Target": "main#main"})

    assert whole.text.startswith("<!doctype html>")
    assert "<!doctype" not in block.text
    assert "<h1>" in block.text
    assert "HX-Target" in whole.headers["vary"]
    assert whole.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("target", ["main#nothing_of_the_kind", "main", "#", "x#y#z", "main#<script>"])
async def test_a_block_nobody_knows_is_answered_with_the_page(browser: httpx.AsyncClient, target: str) -> None:
    assert (await browser.get("/styleguide", headers={**PARTIAL, "HX-Target": target})).text.startswith("<!doctype html>")


async def test_a_page_needs_a_session_unless_it_says_why_not(browser: httpx.AsyncClient) -> None:
    refused = await browser.get("/menu?page=2")

    assert (refused.status_code, refused.headers["location"]) == (303, "/signin?next=/menu%3Fpage%3D2")
    assert (await browser.get("/menu", headers={"As": "everyone"})).status_code == 200
    assert styleguide.open_routes == {"GET /styleguide": "it shows drawings, no data"}


async def test_an_act_without_a_session_leads_back_to_the_page_it_came_from(browser: httpx.AsyncClient) -> None:
    came = {"Referer": "http://127.0.0.1/people?q=a"}
    whole = await browser.post("/act", headers=came)
    block = await browser.post("/act", headers={**came, **PARTIAL})
    foreign = await browser.post("/act", headers={"Referer": "http://else.where/people"})

    assert whole.headers["location"] == "/signin?next=/people%3Fq%3Da"
    assert (block.status_code, block.headers["hx-redirect"]) == (401, "/signin?next=/people%3Fq%3Da")
    assert foreign.headers["location"] == "/signin?next=/"


async def test_what_was_done_is_said_on_the_page_and_beside_a_block_and_nothing_else_can_be_made_said(browser: httpx.AsyncClient) -> None:
    english = {"Accept-Language": "en"}
    whole = await browser.get("/styleguide?done=saved", headers=english)
    block = await browser.get("/styleguide?done=saved", headers={**english, **PARTIAL, "HX-Target": "main#main"})
    forged = await browser.get("/styleguide?done=%3Cb%3ESend+money", headers=english)

    assert "<span>Saved</span>" in whole.text
    assert 'id="toasts" hx-swap-oob="innerHTML"' in block.text
    assert "Send money" not in forged.text.split('id="toasts"')[1]


async def test_an_error_has_a_reference_and_spares_the_block(browser: httpx.AsyncClient) -> None:
    whole = await browser.get("/broken")
    block = await browser.get("/broken", headers={**PARTIAL, "HX-Target": "div#week"})

    assert whole.status_code == block.status_code == 500
    assert "7F3A-21C0" in whole.text
    assert "7F3A-21C0" in block.text
    assert (block.headers["hx-retarget"], "<html" in block.text) == ("#alert", False)
    assert (await browser.get("/nowhere")).status_code == 404


async def test_the_language_is_chosen_kept_and_leads_back(browser: httpx.AsyncClient) -> None:
    chosen = await browser.post("/language", data={"lang": "en", "next": "/styleguide?x=1"})

    assert (chosen.status_code, chosen.headers["location"]) == (303, "/styleguide?x=1")
    assert 'lang="en"' in (await browser.get("/styleguide")).text
    assert (await browser.post("/language", data={"lang": "xx", "next": "//else.where"})).headers["location"] == "/"


async def test_light_or_dark_is_kept_until_the_device_decides_again(browser: httpx.AsyncClient) -> None:
    await browser.post("/scheme", data={"scheme": "dark"})
    assert 'data-scheme="dark"' in (await browser.get("/styleguide")).text

    await browser.post("/scheme", data={"scheme": ""})
    assert "data-scheme" not in (await browser.get("/styleguide")).text


@pytest.mark.parametrize("lang", ["zh-Hans", "en"])
async def test_the_styleguide_shows_every_part_once_and_speaks_one_language(browser: httpx.AsyncClient, lang: str) -> None:
    text = (await browser.get("/styleguide", headers={"As": "health", "Cookie": f"lang={lang}"})).text
    ids = Counter(re.findall(r'\sid="([^"]+)"', text))

    assert {name: count for name, count in ids.items() if count > 1} == {}
    assert not re.search(r"%\(\w+\)s|\{\w+\}|Undefined", text)
    named = {each for names in re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', text) for each in names.split()}
    assert named <= set(ids)
    assert ("接种" in re.sub(r"[霍江何].{2}|中文", "", text)) == (lang == "zh-Hans")


async def test_the_rail_holds_what_the_roles_may_open(browser: httpx.AsyncClient) -> None:
    person = (await browser.get("/menu", headers={"As": "everyone"})).text
    health = (await browser.get("/menu", headers={"As": "everyone health"})).text

    assert 'href="/imports"' not in person
    assert 'href="/imports"' in health
    assert 'href="/system"' not in health


async def test_a_file_with_its_hash_may_be_kept_and_one_without_is_asked_for_again(browser: httpx.AsyncClient) -> None:
    assert "immutable" in (await browser.get(static("muster.css"))).headers["cache-control"]
    assert (await browser.get("/static/muster.css")).headers["cache-control"] == "no-cache"


async def test_the_band_warns_when_others_can_read_along(browser: httpx.AsyncClient) -> None:
    assert 'class="insecure' not in (await browser.get("/styleguide")).text
    assert 'class="insecure' in (await browser.get("http://192.0.2.7/styleguide")).text


async def test_what_looks_after_the_first_page_may_do_so_and_no_other_file_may(browser: httpx.AsyncClient) -> None:
    assert (await browser.get(static("worker.js"))).headers["service-worker-allowed"] == "/"
    assert "service-worker-allowed" not in (await browser.get(static("app.js"))).headers
