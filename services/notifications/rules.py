"""What holds of notices whatever happens: when one reminds, what counts as answered and late, who is told who is missing. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal, Protocol
from uuid import UUID

from shared.refusals import FieldError

REMIND_BEFORE = timedelta(minutes=30)
LONGEST = timedelta(days=366)
NUMBER_SHOWN_FOR = timedelta(hours=24)
"""So long after a shift its people may still ring its leader."""

State = Literal["told", "opened", "by_head", "read", "done"]


class Answers(Protocol):
    """What a recipient did, and when."""

    @property
    def opened_at(self) -> datetime | None: ...
    @property
    def read_at(self) -> datetime | None: ...
    @property
    def recorded_at(self) -> datetime | None: ...
    @property
    def corrected_at(self) -> datetime | None: ...
    @property
    def done_at(self) -> datetime | None: ...


def counted_record(one: Answers) -> datetime | None:
    """When the head recorded it; nothing once that record was found wrong."""
    return None if one.corrected_at else one.recorded_at


def answered_at(one: Answers) -> datetime | None:
    """When a notice counts as acknowledged: by oneself or by the head's record, whichever was first."""
    found = [at for at in (one.read_at, counted_record(one)) if at is not None]
    return min(found, default=None)


def state_of(one: Answers) -> State:
    """How far somebody is. One's own word goes before the head's."""
    if one.done_at:
        return "done"
    if one.read_at:
        return "read"
    if counted_record(one):
        return "by_head"
    return "opened" if one.opened_at else "told"


def is_late(at: datetime | None, deadline_at: datetime | None) -> bool:
    """An answer at the very instant of the deadline is in time; one after it counts, and counts as late."""
    return at is not None and deadline_at is not None and at > deadline_at


def is_open(one: Answers, *, asks_done: bool, withdrawn: bool) -> bool:
    """Does the notice still wait for this person?"""
    return not withdrawn and (answered_at(one) is None or (asks_done and one.done_at is None))


def reminder_at(issued_at: datetime, deadline_at: datetime) -> datetime:
    """Half an hour before the deadline; where there is less than an hour, half of it."""
    return deadline_at - min(REMIND_BEFORE, (deadline_at - issued_at) / 2)


def what_is_wrong(
    now: datetime, deadline_at: datetime | None, done_deadline_at: datetime | None, *, asks_done: bool, halves: Collection[bool] = ()
) -> list[FieldError]:
    """What is wrong with the times of a notice that is to be issued; `halves`: is each of the two English texts there?"""
    found = []
    for field, at in (("deadline_at", deadline_at), ("done_deadline_at", done_deadline_at)):
        if at is not None and at <= now:
            found.append(FieldError(field, "passed_already"))
        elif at is not None and at > now + LONGEST:
            found.append(FieldError(field, "too_far_ahead", {"max": (now + LONGEST).isoformat()}))
    if done_deadline_at is not None and not asks_done:
        found.append(FieldError("done_deadline_at", "no_done_asked"))
    elif done_deadline_at is not None and deadline_at is not None and done_deadline_at < deadline_at:
        found.append(FieldError("done_deadline_at", "before_deadline"))
    if len(set(halves)) > 1:
        found.append(FieldError("text_en", "half_translated"))
    return found


class Department(Protocol):
    """A department and those who answer for it."""

    @property
    def id(self) -> UUID: ...
    @property
    def parent_id(self) -> UUID | None: ...
    @property
    def head_id(self) -> UUID | None: ...
    @property
    def reporter_id(self) -> UUID | None: ...
    @property
    def deputy_id(self) -> UUID | None: ...


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told, and in whose place: nothing, or why the head is not."""

    person_ids: tuple[UUID, ...]
    instead_of: str | None = None


def who_hears(department_id: UUID, departments: Mapping[UUID, Department], here: Collection[UUID], *, heads_alone: bool = False) -> Told:
    """Who hears of people missing in a department: its head; where there is none, or who left, the reporter and the deputy; then those
    above. `heads_alone`: of a notice that says how people stand, reporters hear nothing. Nobody at all: the step has reached nobody, and
    passes on."""
    step, seen, first = departments.get(department_id), set[UUID](), True
    while step is not None and step.id not in seen:
        seen.add(step.id)
        if step.head_id in here and step.head_id is not None:
            return Told((step.head_id,), None if first else "above")
        others = tuple(dict.fromkeys(one for one in (step.reporter_id, step.deputy_id) if one is not None and one in here))
        if others and not heads_alone:
            return Told(others, "reporter" if first else "above")
        step, first = departments.get(step.parent_id) if step.parent_id else None, False
    return Told((), "nobody")


_NAT64 = IPv6Network("64:ff9b::/96")
_ODD4, _ODD6 = IPv4Network("192.0.0.0/24"), IPv6Network("fec0::/10")  # for protocols (clouds tell secrets there), and site-local of old


def is_inside(address: str) -> bool:
    """Is this no address of the open internet: private, loopback, link-local, shared, multicast, or such a one dressed as IPv6?"""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        within = [one for one in (ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())) if one is not None]
        if ip in _NAT64 or int(ip) >> 32 == 0:  # NAT64, or IPv4 in the last four bytes, as it was written long ago
            within.append(IPv4Address(int(ip) & 0xFFFFFFFF))
        if any(is_inside(str(one)) for one in within):
            return True
        if ip.ipv4_mapped is not None or ip in _NAT64:
            return False
    named = ip in _ODD4 if isinstance(ip, IPv4Address) else ip in _ODD6
    return named or not ip.is_global or ip.is_multicast or ip.is_reserved


def signature(secret: str, message_id: str, at: int, body: bytes) -> str:
    """Standard Webhooks: `v1,` and the HMAC-SHA256 of id, time and body under the secret after its prefix."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def first_of(ids: Sequence[UUID], most: int) -> list[str]:
    """The first of many, as they are kept in an alert."""
    return [str(one) for one in ids[:most]]
