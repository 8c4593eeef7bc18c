"""Who asks, and may they: caller tokens that every service verifies off line, and the doors that routes declare. Denied unless allowed."""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, cast
from uuid import UUID

from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from shared import policy
from shared.clock import now
from shared.policy import ACTIONS
from shared.refusals import Refused
from shared.settings import settings

TOKEN_SECONDS = 15 * 60
KEY_PREFIX = "muster_"  # by which API keys are known, also when one turns up where it should not
_ALGORITHM = "Ed25519"
_AUDIENCE = "muster"


@dataclass(frozen=True, slots=True)
class Reach:
    """The rows that an action reaches for a caller; falsy when it reaches none."""

    everything: bool = False
    departments: frozenset[UUID] = frozenset()  # each with everything below it: shared/below.py
    own: UUID | None = None

    def __bool__(self) -> bool:
        return self.everything or bool(self.departments) or self.own is not None

    def holds(self, person_id: UUID) -> bool:
        """Is what is known of this person within reach, as a whole or as one's own? What departments reach, the row scope knows."""
        return self.everything or person_id == self.own


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. A person has roles, an API client has scopes, and neither has both."""

    kind: Literal["person", "client", "system", "nobody"]
    account_id: UUID | None = None
    person_id: UUID | None = None
    client_id: UUID | None = None
    session_id: UUID | None = None
    name: str = ""
    roles: frozenset[str] = frozenset()
    departments: frozenset[UUID] = frozenset()  # those whose head one is; what lies below them each service knows itself
    reported: frozenset[UUID] = frozenset()  # those one reports for, likewise
    scopes: frozenset[str] = frozenset()
    officer_until: datetime | None = None  # when the duty ends with which the duty officer's rights go, though the token lives on
    purpose: str = ""  # the page from which is asked
    address: str = ""  # where the request came from, as the gateway saw it

    @property
    def id(self) -> UUID | None:
        """The account or the client, by which writes are signed."""
        return self.account_id or self.client_id

    def reach(self, action: str) -> Reach:
        """Which rows the action reaches for this caller; an unknown action is our own mistake and raises."""
        grants = ACTIONS[action]
        if self.kind == "system":
            return Reach(everything=True)
        found = {grants[held] for held in self.roles | self.scopes if held in grants}
        if policy.ALL in found:
            return Reach(everything=True)
        headed = self.departments if "head" in self.roles and grants.get("head") == policy.DEPARTMENT else frozenset()
        reported = self.reported if "reporter" in self.roles and grants.get("reporter") == policy.DEPARTMENT else frozenset()
        return Reach(departments=headed | reported, own=self.person_id if policy.OWN in found else None)


SYSTEM = Caller(kind="system", name="Muster")
NOBODY = Caller(kind="nobody")


@cache
def _private_key(pem: str) -> OKPKey:
    return OKPKey.import_key(pem)


@cache
def _public_key(pem: str) -> OKPKey:
    return OKPKey.import_key(pem)


def mint(caller: Caller, seconds: int = TOKEN_SECONDS) -> str:
    """A token that says who the caller is, signed by identity. It lives on real time, whatever the business clock says."""
    issued = int(time.time())
    claims: dict[str, Any] = {
        "aud": _AUDIENCE,
        "iat": issued,
        "exp": issued + seconds,
        "kind": caller.kind,
        "name": caller.name,
        "roles": sorted(caller.roles),
        "scopes": sorted(caller.scopes),
        "departments": sorted(str(one) for one in caller.departments),
        "reported": sorted(str(one) for one in caller.reported),
    }
    for name in ("account_id", "person_id", "client_id", "session_id"):
        if (value := getattr(caller, name)) is not None:
            claims[name] = str(value)
    if caller.officer_until is not None:
        claims["officer_until"] = caller.officer_until.timestamp()
    key = _private_key(settings().token_private_key.get_secret_value())
    return jwt.encode({"alg": _ALGORITHM}, claims, key, algorithms=[_ALGORITHM])


@dataclass(slots=True)
class _Verified:
    """Tokens already verified: checking a signature costs 0.12 ms, and the gateway sends the same token for 30 s."""

    callers: dict[str, tuple[int, Caller]] = field(default_factory=dict)


_verified = _Verified()
_KEPT = 5000


def _id(claims: dict[str, Any], name: str) -> UUID | None:
    return UUID(claims[name]) if name in claims else None


def verify(token: str) -> Caller:
    """The caller that a token speaks of. Refused `not_signed_in` when the signature, the audience or the time is wrong."""
    known = _verified.callers.get(token)
    if known is not None and known[0] > time.time():
        return _at_this_moment(known[1])
    try:
        found = jwt.decode(token, _public_key(settings().token_public_key), algorithms=[_ALGORITHM])
        jwt.JWTClaimsRegistry(aud={"essential": True, "value": _AUDIENCE}, exp={"essential": True}).validate(found.claims)
        claims = found.claims
        caller = Caller(
            kind=claims["kind"],
            name=claims["name"],
            roles=frozenset(claims["roles"]),
            scopes=frozenset(claims["scopes"]),
            departments=frozenset(UUID(one) for one in claims["departments"]),
            reported=frozenset(UUID(one) for one in claims["reported"]),
            account_id=_id(claims, "account_id"),
            person_id=_id(claims, "person_id"),
            client_id=_id(claims, "client_id"),
            session_id=_id(claims, "session_id"),
            officer_until=datetime.fromtimestamp(claims["officer_until"], UTC) if "officer_until" in claims else None,
        )
    except (JoseError, ValueError, KeyError) as odd:
        raise Refused("not_signed_in", 401) from odd
    if len(_verified.callers) >= _KEPT:
        _verified.callers.clear()
    _verified.callers[token] = (int(claims["exp"]), caller)
    return _at_this_moment(caller)


def _at_this_moment(caller: Caller) -> Caller:
    """The rights that a duty gives go with its last minute, however long the token lives."""
    if caller.officer_until is None or now() < caller.officer_until:
        return caller
    return _with(caller, roles=caller.roles - {"duty_officer"}, officer_until=None)


def caller_of(request: Request) -> Caller:
    """Who asks, read once a request; a request without a token is nobody's."""
    known: Caller | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    words = request.headers.get("authorization", "").split(" ", 1)
    token = words[1].strip() if len(words) == 2 and words[0].lower() == "bearer" else ""
    caller = verify(token) if token and not token.startswith(KEY_PREFIX) else NOBODY  # an API key is exchanged for a token, it is none
    purpose, address = request.headers.get("muster-purpose", "")[:80], request.headers.get("muster-client-address", "")[:64]
    if purpose or address:
        caller = _with(caller, purpose=purpose, address=address)
    request.state.caller = caller
    return caller


def _with(caller: Caller, **changes: Any) -> Caller:
    return Caller(**{name: getattr(caller, name) for name in Caller.__slots__} | changes)


@dataclass(frozen=True, slots=True)
class Door:
    """What a route demands of its caller, for the start check, the documentation and the generated test."""

    action: str | None = None
    open_why: str | None = None


def _declare(check: Callable[[Request], Awaitable[Caller]], door: Door) -> Any:
    check.door = door  # type: ignore[attr-defined]
    return Depends(check, scope="function")


def require(action: str) -> Any:
    """The route is for callers whom the policy allows the action, for whatever rows. 401 `not_signed_in`, 403 `not_allowed`."""
    if action not in ACTIONS:
        raise KeyError(f"no such action in shared/policy.py: {action}")

    async def allowed(request: Request) -> Caller:  # not async, it would cost a thread at every request
        caller = caller_of(request)
        if caller.kind == "nobody":
            raise Refused("not_signed_in", 401)
        if not caller.reach(action):
            raise Refused("not_allowed", 403, {"action": action})
        return caller

    return _declare(allowed, Door(action=action))


async def _somebody(request: Request) -> Caller:
    caller = caller_of(request)
    if caller.kind == "nobody":
        raise Refused("not_signed_in", 401)
    return caller


signed_in: Any = _declare(_somebody, Door())


def anyone(why: str) -> Any:
    """The route is open; `why` says for what reason."""

    async def welcome(request: Request) -> Caller:
        return caller_of(request)

    return _declare(welcome, Door(open_why=why))


def doors_of(dependant: Any) -> Iterable[Door]:
    """The doors that a route declares, found in the tree of its dependencies."""
    door = getattr(dependant.call, "door", None)
    if door is not None:
        yield cast(Door, door)
    for inner in dependant.dependencies:
        yield from doors_of(inner)
