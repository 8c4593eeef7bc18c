"""The small institution as identity was told of it, and the ways people come in that several tests begin with."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from services.identity.acts import Place
from services.identity.hashing import hashed
from services.identity.rules import NOTICE_VERSION
from services.identity.setup_code import print_new
from services.identity.tables import Account, Role, Session, System
from shared.auth import Caller
from shared.clock import now
from shared.events import DepartmentsChanged, DepartmentState, PeopleChanged, PersonState, ProofsChanged, ProofState
from shared.settings import settings
from tests.doors import Door
from tests.people import DEPARTMENTS, FANG_JIBAI, JIANG_CAIWEI, LOGISTICS, PEOPLE, SHEN_ZHIXING, TANG_YINAN, TEACHING, Person, id_of

PASSWORD = "four hills and a river"


@pytest.fixture
def real_system(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Not a demo: what a demo leaves open is shut."""
    monkeypatch.setenv("DEMO", "false")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def state_of(person: Person, **changes: Any) -> PersonState:
    """What personnel tells of a person."""
    told = {
        "id": person.id,
        "number": person.number,
        "name": person.name,
        "sort_key": person.number,
        "department_id": person.department.id,
        "employment": person.employment,
        "left_on": None,
        "version": 1,
    }
    return PersonState.model_validate(told | changes)


def proof_of(person: Person, **changes: Any) -> ProofState:
    """What personnel tells of a person to identity alone."""
    return ProofState.model_validate({"person_id": person.id, "phone_last4": person.phone[-4:], "version": 1} | changes)


def departments() -> list[DepartmentState]:
    """What personnel tells of the departments: two have a head, one a reporter and a deputy."""
    heads = {TEACHING.id: SHEN_ZHIXING.id, LOGISTICS.id: TANG_YINAN.id}
    return [
        DepartmentState(
            id=one.id,
            name=one.name,
            parent_id=None,
            head_id=heads.get(one.id),
            reporter_id=FANG_JIBAI.id if one == TEACHING else None,
            deputy_id=JIANG_CAIWEI.id if one == TEACHING else None,
            version=1,
        )
        for one in DEPARTMENTS
    ]


async def tell(identity: Door) -> None:
    """Identity was told of everybody, and is set up."""
    await identity.hears(DepartmentsChanged(departments=departments()))
    await identity.hears(PeopleChanged(people=[state_of(person) for person in PEOPLE]))
    await identity.hears(ProofsChanged(proofs=[proof_of(person) for person in PEOPLE]))
    await identity.has(System(id=1, demo=True, began_at=now(), set_up_at=now()))


async def has_account(identity: Door, person: Person, *roles: str, password: str | None = PASSWORD) -> UUID:
    """The person was let in, and given these roles."""
    kept = await hashed(password) if password else None
    account = Account(id=id_of(f"account-{person.number}"), person_id=person.id, name=person.name, password_hash=kept, created_at=now())
    await identity.has(account)
    for role in roles:
        await identity.has(Role(person_id=person.id, role=role, state="given", asked_at=now(), decided_at=now()))
    return account.id


async def signed_in(identity: Door, person: Person, kind: str = "desk", password: str = PASSWORD) -> dict[str, Any]:
    """The person signs in by staff number."""
    answer = await identity.post("/sessions", {"username": person.number, "password": password, "kind": kind, "device": "Firefox"})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def token_for(identity: Door, secret: str, **headers: str) -> Any:
    """What the gateway asks for with the cookie's secret."""
    return await identity.request("POST", "/sessions/token", headers={"muster-session": secret} | headers)


async def setup_code(identity: Door, place: Place = "health") -> str:
    """The operator prints the setup code for whoever keeps health records, or for the administrator."""
    return await print_new(identity.database, place)


async def sheet_for(identity: Door, person: Person, caller: Caller) -> dict[str, Any]:
    """One person's sheet."""
    answer = await identity.post("/activations", {"person_ids": [str(person.id)]}, caller)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["items"][0]
    return found


def coming(proof: str, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    """What a person adds to the code."""
    return {"proof": proof, "password": password, "notice_version": NOTICE_VERSION, "kind": "phone", "device": "Safari"} | more


async def open_sessions(identity: Door, account_id: UUID) -> int:
    """How many sessions of an account are open."""
    async with identity.rows() as tx:
        return len((await tx.scalars(select(Session.id).where(Session.account_id == account_id, Session.ended_at.is_(None)))).all())
