"""The operator's page and the settings: what is late, which service is away, what the institution is called."""

import pytest

from gateway.system.page import states_of
from tests.gateway.door import GatewayDoor, hidden, partial, words_of
from tests.people import HE_RUONING, LIANG_YUAN, ZHONG_YIFAN

CALM = {
    "oldest_unsent_seconds": 0.2,
    "due_late_count": 0,
    "consumers": [{"consumer": "identity-known", "pending_count": 3}],
    "parked_count": 0,
    "due_parked_count": 0,
    "nats_connected": True,
    "oldest_job_seconds": 20.0,
    "errands": [
        {"kind": "mail", "waiting_count": 900, "oldest_waiting_seconds": 90.0, "again_count": 1, "failed_count": 0, "error": "busy"}
    ],
    "disk_total_bytes": 100,
    "disk_free_bytes": 50,
    "backup_age_seconds": 3600,
}


async def test_only_the_administrator_sees_the_state(gateway: GatewayDoor) -> None:
    for person in (LIANG_YUAN, HE_RUONING):
        assert (await (await gateway.browser(person)).get("/system")).status_code == 403


async def test_each_service_says_what_is_late(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)

    shown = await browser.get("/system")
    block = await browser.get("/system", headers=partial("state_now"))

    assert shown.status_code == 200
    assert "人员和健康档案" in words_of(shown)
    assert "断开：事件在数据库里等待" in words_of(shown)
    assert "<html" not in block.text
    assert 'hx-trigger="every 10s"' in block.text


async def test_a_service_that_is_away_is_said_and_the_other_is_shown(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN, "en")
    await browser.get("/system")
    gateway.down("personnel")

    said = words_of(await browser.get("/system"))

    assert "A service does not answer: personnel" in said
    for service in ("Identity: who may come in", "Duty: who is on duty", "Dispatch: who goes where", "Notifications: who has been told"):
        assert service in said


@pytest.mark.parametrize(
    ("change", "what", "state"),
    [
        ({"oldest_unsent_seconds": 30}, "unsent", "warn"),
        ({"oldest_unsent_seconds": 300}, "unsent", "bad"),
        ({"parked_count": 1}, "parked", "bad"),
        ({"due_parked_count": 1}, "parked", "bad"),
        ({"due_late_count": 1}, "due", "warn"),
        ({"nats_connected": False}, "nats", "bad"),
        ({"disk_free_bytes": 3}, "disk", "bad"),
        ({"disk_free_bytes": 10}, "disk", "warn"),
        ({"backup_age_seconds": None}, "backup", "warn"),
        ({"consumers": [{"consumer": "c", "pending_count": 5000}]}, "pending", "warn"),
        ({"oldest_job_seconds": 3600.0}, "jobs", "warn"),
        ({"errands": [{"kind": "mail", "oldest_waiting_seconds": 3600.0, "failed_count": 0}]}, "mail", "warn"),
        ({"errands": [{"kind": "webhook", "oldest_waiting_seconds": 0.0, "failed_count": 1}]}, "webhook", "warn"),
    ],
)
def test_what_is_late_is_marked(change: dict[str, object], what: str, state: str) -> None:
    assert set(states_of(CALM).values()) == {"ok"}

    assert states_of({**CALM, **change})[what] == state


async def test_the_administrator_names_the_institution(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)
    form = await browser.get("/institution")

    answer = await browser.post("/institution", data={"once": "k", "version": hidden(form, "version"), "name": "澜江学院东校区"})

    assert answer.headers["location"] == "/institution?done=saved"
    assert "澜江学院东校区" in words_of(await browser.get("/institution"))


async def test_two_who_rename_at_once_see_each_other(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN, "en")
    version = hidden(await browser.get("/institution"), "version")
    await browser.post("/institution", data={"once": "k1", "version": version, "name": "First"})

    answer = await browser.post("/institution", data={"once": "k2", "version": version, "name": "Second"})

    assert answer.status_code == 409
    assert "It is called “First” now" in words_of(answer)
    assert 'value="Second"' in answer.text


async def test_no_name_is_said_beside_the_field_and_others_may_not(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(ZHONG_YIFAN)

    assert (await browser.post("/institution", data={"once": "k", "version": "1"})).status_code == 422
    assert (await (await gateway.browser(HE_RUONING)).get("/institution")).status_code == 403
