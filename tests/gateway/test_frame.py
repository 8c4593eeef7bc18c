"""What holds for every page: who may open it, which block comes, what is said when a service is away."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from shared import clock
from shared.events import DutiesChanged, DutyState
from tests.gateway.door import HOST, GatewayDoor, hidden, words_of
from tests.people import HE_RUONING, LIANG_YUAN, id_of


async def test_a_page_needs_somebody_signed_in(gateway: GatewayDoor) -> None:
    answer = await gateway.stranger().get("/menu")

    assert (answer.status_code, answer.headers["location"]) == (303, "/signin?next=/menu")


async def test_whoever_is_signed_in_sees_the_page_and_their_name(gateway: GatewayDoor) -> None:
    answer = await (await gateway.browser(HE_RUONING)).get("/menu")

    assert answer.status_code == 200
    assert "何若宁" in words_of(answer)
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


async def test_pages_and_files_travel_packed_to_whoever_can_unpack_them(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    for path in ("/menu", "/static/muster.css"):
        packed = await browser.get(path)
        plain = await browser.get(path, headers={"accept-encoding": "identity"})

        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert packed.num_bytes_downloaded < plain.num_bytes_downloaded / 2
        assert "Accept-Encoding" in packed.headers["vary"]


async def test_a_form_from_another_site_is_refused(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    answer = await browser.post("/language", data={"lang": "en"}, headers={"origin": "https://elsewhere.example"})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("shown_at", "page"),
    [("/me/password", "/me"), ("/clients/x/keys", "/clients"), ("/people?q=a&page=2", "/people?q=a&page=2"), ("/nowhere", "/nowhere")],
)
async def test_the_language_chosen_beside_a_refused_form_leads_to_a_page_that_can_be_opened(
    gateway: GatewayDoor, shown_at: str, page: str
) -> None:
    browser = await gateway.browser(HE_RUONING)

    answer = await browser.post("/language", data={"lang": "en"}, headers={"referer": f"{HOST}{shown_at}"})

    assert (answer.status_code, answer.headers["location"]) == (303, page)


async def test_identity_away_leaves_the_signed_in_signed_in(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    await browser.get("/menu")
    gateway.down("identity")
    for known in gateway.app.state.sessions.known.values():
        known.asked_at -= 60

    assert (await browser.get("/menu")).status_code == 200


async def test_a_page_that_cannot_be_had_now_offers_to_be_asked_for_again(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)
    gateway.down("duty")

    answer = await browser.get("/rosters/2021-08-02")

    assert answer.status_code == 503
    assert re.search(r'<a class="btn main-act" href="/rosters/2021-08-02">.+?再试一次</a>', answer.text)


async def test_the_api_describes_all_services_in_one_document(gateway: GatewayDoor) -> None:
    document = (await gateway.stranger().get("/api/v1/openapi.json")).json()

    assert "/personnel/doses" in document["paths"]
    assert "/identity/sessions" in document["paths"]
    assert "/identity/sessions/token" not in document["paths"]


@pytest.mark.parametrize("path", ["nowhere", "personnel", "personnel/nowhere", "nowhere/people"])
async def test_the_api_says_in_its_own_words_that_nothing_is_there(gateway: GatewayDoor, path: str) -> None:
    answer = await gateway.stranger().get(f"/api/v1/{path}")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not_found"


async def test_the_rights_of_a_duty_end_with_it_in_the_middle_of_a_form_and_the_page_says_so(gateway: GatewayDoor) -> None:
    ends_at = datetime(2021, 8, 6, tzinfo=UTC)  # 08:00 in Shanghai
    clock.set_now(ends_at - timedelta(minutes=1))
    browser = await gateway.browser(LIANG_YUAN)
    span = {"person_id": LIANG_YUAN.id, "starts_at": ends_at - timedelta(days=1), "ends_at": ends_at}
    post = {"id": id_of("duty"), "post_id": id_of("post"), "post_name": "值班员", "gives_rights": True, "state": "published", "version": 1}
    await gateway.doors.identity.hears(DutiesChanged(duties=[DutyState.model_validate(span | post)]))

    form = await browser.get("/notices/new")
    clock.set_now(ends_at)
    answer = await browser.post("/notices/new", data={"once": hidden(form, "once"), "step": "look", "title": "x", "text": "y"})

    assert "值班员 至 08:00" in words_of(form)
    assert answer.status_code == 403
    assert "你的值班 08:00 已结束" in words_of(answer)
    assert "至 08:00" not in words_of(answer)


async def test_everything_stands_in_the_order_of_the_rail(gateway: GatewayDoor) -> None:
    answer = await (await gateway.browser(HE_RUONING)).get("/menu")

    groups = re.findall(r'<h2 id="g_\d">(.+?)</h2>', answer.text)

    assert groups[0] == "我的"
    assert groups == list(dict.fromkeys(re.findall(r"<p>(我的|值班|派工|人员|系统)</p>", answer.text))), "as the rail beside it"


async def test_a_page_below_another_leads_up_and_lights_its_entry(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING)

    below = await browser.get("/departments/new")
    top = await browser.get("/people")

    assert re.search(r'<p class="up no-print"><a href="/departments">.+?<span>处室</span>', below.text)
    assert re.search(r'<a href="/people"[^>]* aria-current="page"', below.text)
    assert 'class="up' not in top.text
