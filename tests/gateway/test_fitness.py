"""Fitness on pages: one's own on the first page, everybody's for the health records office, who record for every programme."""

import re
from typing import Any

from shared.events import RecordLooked
from tests.gateway.door import GatewayDoor, partial, words_of
from tests.people import GU_CHANGTING, HE_RUONING, HEALTH, JIANG_CAIWEI, LIANG_YUAN, Person


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


async def test_health_records_sees_every_programme_and_what_would_put_it_right(gateway: GatewayDoor) -> None:
    await dose(gateway, JIANG_CAIWEI, "tt", "2010-05-02")

    page = await (await gateway.browser(HE_RUONING, "en")).get(f"/people/{JIANG_CAIWEI.id}")
    shown = words_of(page)

    assert "COVID-19 vaccination No record, and no certificate either" in shown
    assert "Tetanus vaccination Dose 1 is overdue: 2 May 2020 was the last day" in shown
    assert "Flood rescue was fit until 2 May 2020 Tetanus vaccination: 1 dose puts it right, possible now Not fit" in shown


async def test_one_look_at_a_record_is_one_look(gateway: GatewayDoor) -> None:
    before = len(await gateway.doors.personnel.told(RecordLooked))
    await (await gateway.browser(HE_RUONING)).get(f"/people/{JIANG_CAIWEI.id}")

    assert len(await gateway.doors.personnel.told(RecordLooked)) == before + 1


async def test_the_vaccine_says_of_which_programme_a_dose_is(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING, "en")
    page = (await browser.get(f"/people/{JIANG_CAIWEI.id}")).text
    group = re.search(r'<optgroup label="Tetanus vaccination">(.*?)</optgroup>', page, re.S)
    assert group
    [product, *_] = re.findall(r'<option value="([^"]+)"', group[1])

    answer = await browser.post(
        f"/people/{JIANG_CAIWEI.id}/doses", data={"product": product, "given_on": "2021-07-01", "source": "own_record"}
    )
    shown = words_of(await browser.get(answer.headers["location"]))
    wrong = await browser.post(
        f"/people/{JIANG_CAIWEI.id}/doses", data={"product": product, "given_on": "2021-12-01", "source": "own_record"}
    )

    assert product == "tetanus:tt"
    assert "Flood rescue fit until 1 Jul 2031 · since 1 Jul 2021 Fit" in shown
    assert wrong.status_code == 422
    assert 'value="tetanus:tt" selected' in wrong.text


async def test_a_dose_is_corrected_among_the_vaccines_of_its_own_programme(gateway: GatewayDoor) -> None:
    await dose(gateway, JIANG_CAIWEI, "tt", "2021-07-01")
    browser = await gateway.browser(HE_RUONING, "en")
    found = re.search(rf'href="(/people/{JIANG_CAIWEI.id}/doses/[^"]+)"', (await browser.get(f"/people/{JIANG_CAIWEI.id}")).text)
    assert found

    form = await browser.get(found[1])

    assert 'value="tt" selected' in form.text
    assert 'value="td"' in form.text
    assert "bbibp" not in form.text


async def test_exemptions_and_statements_are_of_the_programme_that_was_chosen(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(HE_RUONING, "en")
    place = f"/people/{GU_CHANGTING.id}"

    exempt = {
        "programme": "tetanus",
        "kind": "permanent",
        "from_on": "2021-08-01",
        "issuer": "市医院",
        "certificate": "true",
        "reason": "过敏",
    }
    said = {"programme": "tetanus", "kind": "declined", "on": "2021-08-01"}
    answers = [
        await browser.post(f"{place}/exemptions", data=exempt | {"reason": "过敏"}),
        await browser.post(f"{place}/statements", data=said),
    ]

    assert [one.status_code for one in answers] == [303, 303]
    record = (await gateway.doors.personnel.get(f"{place}/health", HEALTH)).json()
    found = {one["programme"]: (len(one["exemptions"]), len(one["statements"])) for one in record["programmes"]}
    assert found == {"covid19": (0, 0), "tetanus": (1, 1)}


async def test_without_the_programmes_a_dose_still_says_of_which_it_is(gateway: GatewayDoor) -> None:
    form = {"programme": "tetanus", "product": "破伤风疫苗", "given_on": "2021-07-01", "source": "own_record"}

    answer = await (await gateway.browser(HE_RUONING)).post(f"/people/{JIANG_CAIWEI.id}/doses", data=form)

    assert answer.status_code == 303
    record = (await gateway.doors.personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH)).json()
    assert [len(one["doses"]) for one in record["programmes"]] == [0, 1]


async def test_the_file_of_all_that_is_kept_holds_every_service(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN)

    copy = (await browser.get("/me/copy")).json()
    gateway.down("dispatch")
    part = await browser.get("/me/copy")

    assert [name for name in copy if isinstance(copy[name], dict)] == ["account", "record", "duty", "dispatch", "notifications"]
    assert part.status_code == 503
