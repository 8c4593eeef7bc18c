"""Every page for everybody: without a session only what says why it is open, with one only whom the policy lets one see."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from gateway.app import PAGES
from gateway.pages import needs_session
from shared.auth import Caller
from shared.policy import ALL, DEPARTMENT, OWN
from tests.gateway.door import GatewayDoor
from tests.people import (
    FU_XINGJIAN,
    HE_RUONING,
    LIANG_YUAN,
    PAN_XIANGYE,
    SHEN_ZHIXING,
    TANG_YINAN,
    ZHONG_YIFAN,
    Person,
)
from tests.services.matrix import CAST, ORDINARY, TARGETS, every_route, example, gets_in, granted, row_of, words_of
from tests.services.test_permissions import seed_records

WHO = {
    "staff": LIANG_YUAN,
    "agency worker": PAN_XIANGYE,
    "head": SHEN_ZHIXING,
    "head of another department": TANG_YINAN,
    "health": HE_RUONING,
    "leader": FU_XINGJIAN,
    "administrator": ZHONG_YIFAN,
}
STREAMS = {"/live"}  # never ends
SHOWS_NAMES = {"/signin": "the buttons of the demo's cast", "/styleguide": "samples that are nobody's record"}
OF_PEOPLE = ("person.read", "account.read")  # who may be seen at all, on whatever page


def pages(gateway: GatewayDoor) -> Iterator[tuple[str, str, bool]]:
    """Method, path, and whether a session is needed, of every page."""
    for found in iter_route_contexts(gateway.app.routes):
        route = found.original_route
        path = str(found.path)
        if isinstance(route, APIRoute) and not path.startswith("/api/v1/") and path not in ("/livez", "/readyz", "/metrics", *STREAMS):
            closed = any(one.call is needs_session for one in route.dependant.dependencies)
            for method in sorted(found.methods or ()):
                yield method, path, closed


def filled(path: str, person: Person) -> str:
    """The address with the ids of this person's rows."""
    return re.sub(r"{(\w+)(:\w+)?}", lambda found: row_of(found[1], person), path)


def may_see(caller: Caller, person: Person) -> bool:
    for action in OF_PEOPLE:
        found = granted(action, caller)
        if ALL in found or (DEPARTMENT in found and person.department.id in caller.departments | caller.reported):
            return True
        if OWN in found and caller.person_id == person.id:
            return True
    return False


def test_an_open_page_says_why() -> None:
    assert all(why for one in PAGES for why in one.open_routes.values())


async def test_without_a_session_one_is_sent_to_sign_in(gateway: GatewayDoor) -> None:
    stranger, opened = gateway.stranger(), {route for one in PAGES for route in one.open_routes}
    for method, path, closed in pages(gateway):
        answer = await stranger.request(method, filled(path, LIANG_YUAN))
        if closed:
            assert answer.status_code == 303, f"{method} {path}: {answer.status_code}"
            assert answer.headers["location"].startswith("/signin?"), f"{method} {path}"
        else:
            assert f"{method} {path}" in opened, f"{method} {path} has no door and says not why"
            assert answer.status_code < 500, f"{method} {path}: {answer.status_code}"


async def test_no_form_is_taken_from_elsewhere(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    for method, path, _ in pages(gateway):
        if method == "POST":
            answer = await browser.post(filled(path, LIANG_YUAN), headers={"origin": "http://elsewhere.example"})
            assert answer.status_code == 403, f"{path}: {answer.status_code}"


@pytest.mark.parametrize("who", WHO)
async def test_no_page_shows_people_out_of_reach(gateway: GatewayDoor, who: str) -> None:
    await seed_records(gateway.doors.personnel)
    browser, caller = await gateway.browser(WHO[who]), CAST[who]
    foreign = [one for one in ORDINARY if not may_see(caller, one)]
    wrong, count = [], 0
    for method, path, _ in pages(gateway):
        if method != "GET":
            continue
        for person in TARGETS if "{" in path else TARGETS[:1]:
            answer = await browser.get(filled(path, person))
            count += 1
            if answer.status_code >= 500 or answer.status_code == 401:
                wrong.append(f"{path} as {who}: {answer.status_code}")
            if path in SHOWS_NAMES:
                continue
            shown = [one.name for one in foreign if any(word in answer.text for word in words_of(one))]
            wrong += [f"{path} with {person.number} shows {name} to {who}" for name in shown]

    assert not wrong, "\n".join(wrong)
    assert count >= 3


async def test_the_api_has_the_same_doors_outside(gateway: GatewayDoor) -> None:
    stranger, routes = gateway.stranger(), every_route()
    closed = [route for route in routes if gets_in(route, CAST["nobody"]) == 401]
    wishes = [(route.method, f"/api/v1/{route.service}{example(route).path}", example(route).given) for route in closed]
    answers = [await asyncio.wait_for(stranger.request(method, path, **given), 10) for method, path, given in wishes]

    assert {(answer.status_code, answer.headers["content-type"]) for answer in answers} == {(401, "application/problem+json")}
    assert len(answers) > 40


INSIDE = ("metrics", "livez", "sessions/token")
SPELLINGS = (
    "{}",
    "./{}",
    "%2e/{}",
    "people/../{}",
    "people/%2e%2e/{}",
    "/{}",
    "%2f{}",
    "{}%3Fx",
    "{}%23x",
    "{}/",
    "{}/.",
    "%08{}",
    "{}%00",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_what_is_inside_stays_inside_however_it_is_spelled(gateway: GatewayDoor, spelling: str) -> None:
    stranger = gateway.stranger()
    for name in INSIDE:
        for service in ("identity", "personnel"):
            path = f"/api/v1/{service}/{spelling.format(name)}"
            url = stranger.base_url.copy_with(raw_path=path.encode())  # as it is, without the client's own tidying
            answer = await stranger.get(url) if "token" not in name else await stranger.post(url)
            assert answer.status_code in (404, 405), f"{path}: {answer.status_code} {answer.text[:100]}"
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_stranger_sends_nothing_large_through_the_api(gateway: GatewayDoor) -> None:
    stranger = gateway.stranger()
    large = b"x" * 1_100_000

    answers = [
        await stranger.post(f"/api/v1/{path}", content=large) for path in ("identity/sessions", "personnel/doses", "personnel/imports")
    ]

    assert [one.status_code for one in answers] == [413, 413, 401]


@pytest.mark.parametrize("value", ["ä".encode("latin-1"), "钥匙".encode(), b"\xff\xfe"])
async def test_headers_that_are_no_text_are_refused(gateway: GatewayDoor, value: bytes) -> None:
    stranger = gateway.stranger()
    for name in ("authorization", "idempotency-key", "muster-reference", "content-type", "accept-language", "cookie"):
        said = {"authorization": b"Bearer " + value, "cookie": b"muster=" + value}.get(name, value)
        for method, path in (("POST", "/api/v1/personnel/doses"), ("GET", "/api/v1/personnel/institution"), ("GET", "/api/docs")):
            answer = await stranger.request(method, path, headers=[(name.encode(), said)])
            assert answer.status_code < 500, f"{name} {path}: {answer.status_code} {answer.text[:200]}"


async def test_a_cookie_cannot_add_a_header(gateway: GatewayDoor) -> None:
    answer = await gateway.stranger().get("/api/docs", headers={"cookie": r'muster="x\015\012muster-background: true"'})
    assert answer.status_code == 200
