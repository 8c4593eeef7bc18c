"""The gateway as tests use it: pages asked for by somebody of the cast, on the real services in this process."""

import re
from html import unescape
from typing import Any

import httpx
from sqlalchemy import delete, select

from gateway import services
from gateway.app import app, forget_everybody
from services.identity.tables import Role
from services.personnel.acts import contact_state, state_of, tell_contacts, tell_departments, tell_people
from services.personnel.tables import Department
from services.personnel.tables import Person as PersonRow
from shared.clock import now
from shared.house import Outbox
from tests.doors import Doors
from tests.people import FU_XINGJIAN, HE_RUONING, LU_ZHIYAO, ZHONG_YIFAN, Person
from tests.services.institution import settle

HOST = "http://127.0.0.1:8000"


class Unreachable(httpx.AsyncBaseTransport):
    """A service that is down."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("down")


class GatewayDoor:
    """The gateway in this process. `browser(person)` is somebody's browser, signed in."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors
        self.app = app
        forget_everybody(app)
        self._browsers: list[httpx.AsyncClient] = []
        for service in services.ALL:
            self.up(service.name)

    def up(self, name: str) -> None:
        """The service can be reached."""
        transport = httpx.ASGITransport(app=getattr(self.doors, name).app, raise_app_exceptions=False)
        getattr(services, name).connect(transport, "http://service")

    def down(self, name: str) -> None:
        """The service cannot be reached."""
        getattr(services, name).connect(Unreachable(), "http://service")

    async def settle(self) -> None:
        """The cast is there, known to identity, and those who hold a role hold it."""
        await settle(self.doors.personnel)
        async with self.doors.personnel.rows() as tx:
            await tell_departments(tx, list(await tx.scalars(select(Department))))
            people = list(await tx.scalars(select(PersonRow)))
            await tell_people(tx, [state_of(one) for one in people])
            await tell_contacts(tx, [contact_state(one) for one in people])
        await self.doors.pass_events()
        async with self.doors.personnel.rows() as tx:
            await tx.execute(delete(Outbox))
        async with self.doors.identity.rows() as tx:
            for person, role in ((HE_RUONING, "health"), (LU_ZHIYAO, "health"), (FU_XINGJIAN, "leader"), (ZHONG_YIFAN, "administrator")):
                tx.add(Role(person_id=person.id, role=role, state="given", asked_at=now()))

    def stranger(self, lang: str = "zh-Hans") -> httpx.AsyncClient:
        """A browser in which nobody is signed in."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False, client=("127.0.0.1", 50000))
        browser = httpx.AsyncClient(transport=transport, base_url=HOST, headers={"origin": HOST}, cookies={"lang": lang})
        self._browsers.append(browser)
        return browser

    async def browser(self, person: Person, lang: str = "zh-Hans") -> httpx.AsyncClient:
        """A browser in which this person is signed in."""
        answer = await self.doors.identity.post("/demo/sessions", {"person_id": str(person.id)})
        assert answer.status_code == 201, answer.text
        browser = self.stranger(lang)
        browser.cookies.set("muster", answer.json()["secret"])
        return browser

    async def close(self) -> None:
        """Close the browsers."""
        for browser in self._browsers:
            await browser.aclose()
        for service in services.ALL:
            await service.close()


def words_of(answer: httpx.Response) -> str:
    """What a person reads on a page, in one line."""
    text = re.sub(r"<(script|style|template)\b.*?</\1>", " ", answer.text, flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text))).strip()


def hidden(answer: httpx.Response, name: str) -> str:
    """The value of a hidden field on a page."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', answer.text)
    assert found, f"no hidden field {name}"
    return unescape(found.group(1))


def partial(block: str) -> dict[str, Any]:
    """The headers by which htmx asks for one block."""
    return {"hx-request": "true", "hx-request-type": "partial", "hx-target": f"section#{block}"}
