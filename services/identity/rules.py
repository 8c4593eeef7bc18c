"""identity's rules, pure: what a password must be, what proves a person, who may give whom what, and when a second person is needed."""

import hmac
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from shared.policy import GUARDED_ROLES, HEALTH_ROLES, HEALTH_SCOPES
from shared.refusals import Reason

PASSWORD_MIN, PASSWORD_MAX = 10, 128
ACTIVATION_LIVES = timedelta(days=7)
ACTIVATION_TRIES = 5
SETUP_CODE_LIVES = timedelta(days=7)
PHONE_LIVES = timedelta(days=30)
DESK_LIVES = timedelta(hours=24)
DESK_IDLES = timedelta(minutes=30)
WRONG_UNTIL_LOCKED = 10  # from one place, of those within a day; limits.py says why it is so, and what holds elsewhere
LOCKED_FOR = timedelta(minutes=15)
WRONG_FORGOTTEN_AFTER = timedelta(hours=24)
OPEN_KEYS = 2
NOTICE_VERSION = "2021-08-01"  # the day from which this text is in force; notices.py says what it says

_COMMON = (
    "password", "passw0rd", "qwertyuiop", "1234567890", "0123456789", "0987654321", "1q2w3e4r5t", "iloveyou", "administrator", "letmein",
    "woaini1314", "5201314", "a123456789", "abc123456", "asdfghjkl", "zxcvbnm", "88888888", "woshishui", "mima",
)  # fmt: skip
_STRAIGHT = "01234567890 9876543210 abcdefghijklmnopqrstuvwxyz qwertyuiop asdfghjkl zxcvbnm"


def spelled(sort_key: str) -> str:
    """A name in pinyin, run together, as personnel tells it for the order of names; the name itself where it is not Chinese."""
    return sort_key.partition("\x1f")[0].replace(" ", "")


def what_weakens(password: str, own_words: Iterable[str]) -> list[Reason]:
    """Why a password will not do. Length is what counts; no rules about kinds of letters, which only make passwords alike."""
    reasons = []
    if len(password) < PASSWORD_MIN:
        reasons.append(Reason("password_short", {"min": PASSWORD_MIN}))
    plain = password.casefold()
    own = [word.casefold() for word in own_words if len(word) >= 4 or (len(word) >= 2 and not word.isascii())]
    left = plain
    for word in (*own, *_COMMON):
        left = left.replace(word, "")
    if any(word in plain for word in own) and len(left) < 6:
        reasons.append(Reason("password_own_words"))
    elif len(left) < 4 or len(set(plain)) < 4 or plain in _STRAIGHT or re.fullmatch(r"(.{1,4})\1+", plain):
        reasons.append(Reason("password_common"))
    return reasons


def proves(proof: str, number: str, phone_last4: str | None) -> bool:
    """Is this what only the person, besides the code, should know: the last four digits of their phone number, or their staff number?"""
    said = proof.strip().casefold().encode()
    by_number = hmac.compare_digest(said, number.strip().casefold().encode())
    by_phone = phone_last4 is not None and len(phone_last4) == 4 and hmac.compare_digest(said, phone_last4.encode())
    return by_number or by_phone


def has_left(left_on: date | None, today: date) -> bool:
    """From the day someone left on they do not sign in."""
    return left_on is not None and left_on <= today


def session_ends(kind: str, at: datetime) -> datetime:
    """When a session ends at the latest: a phone's after 30 days; a desk's the next day, and after 30 idle minutes before that."""
    return at + (PHONE_LIVES if kind == "phone" else DESK_LIVES)


@dataclass(frozen=True, slots=True)
class Party:
    """One who asks, decides, or is to be given something: by account, by person, or both."""

    account_id: UUID | None = None
    person_id: UUID | None = None
    roles: frozenset[str] = frozenset()

    def is_same_as(self, other: "Party") -> bool:
        """Two names of one: the same account or the same person."""
        same_account = self.account_id is not None and self.account_id == other.account_id
        return same_account or (self.person_id is not None and self.person_id == other.person_id)

    @property
    def is_anybody(self) -> bool:
        """An account that belongs to no person: of whom nobody can say that it is not somebody else's second one."""
        return self.account_id is not None and self.person_id is None


def holds_health(roles: Collection[str]) -> bool:
    """Do these roles open health records?"""
    return bool(HEALTH_ROLES & set(roles))


def role_waits(role: str) -> bool:
    """Does giving this role wait for a second person?"""
    return role in GUARDED_ROLES


def scopes_wait(scopes: Collection[str]) -> bool:
    """Does a client with these scopes wait for a second person?"""
    return bool(HEALTH_SCOPES & set(scopes))


def code_waits(asker: Party, held: Collection[str], *, has_account: bool) -> bool:
    """Does a new activation code wait for a second person?

    A code lets its bearer be that person: whoever does not hold health cannot have one alone, since it would open the person's own
    record. Nor can one who does, for a second pair of eyes: another who holds health, an administrator, a leader already let in. The
    second person, who is shown the code, always holds health: an administrator would be shown the code of a leader.
    """
    if not holds_health(asker.roles):
        return True
    return holds_health(held) or "administrator" in held or ("leader" in held and has_account)


def what_forbids_asking(asker: Party, beneficiary: Party, role: str) -> list[Reason]:
    """Nobody changes their own roles; who holds health may ask for health for others, all other roles are the administrator's."""
    reasons = []
    if asker.is_same_as(beneficiary):
        reasons.append(Reason("own_roles"))
    if "administrator" not in asker.roles and not (role in HEALTH_ROLES and holds_health(asker.roles)):
        reasons.append(Reason("not_yours_to_give", {"role": role}))
    if role_waits(role) and beneficiary.is_anybody:
        reasons.append(Reason("account_without_person", {"role": role}))
    return reasons


def what_forbids_deciding(decider: Party, asker: Party, beneficiary: Party, needed: Collection[str]) -> list[Reason]:
    """The second person is neither who asked nor who gains, holds what is needed, and both are persons, else they might be one."""
    reasons = []
    if decider.is_same_as(beneficiary):
        reasons.append(Reason("own_roles"))
    if decider.is_same_as(asker):
        reasons.append(Reason("second_person_needed"))
    if not set(needed) & decider.roles:
        reasons.append(Reason("second_person_needed", {"role": sorted(needed)[0]}))
    if decider.is_anybody:
        reasons.append(Reason("say_who_you_are"))
    if asker.is_anybody:
        reasons.append(Reason("asker_without_person"))
    return reasons


def what_forbids_setup_code(code_in_order: bool, health_can_sign_in: bool, beneficiary: Party) -> list[Reason]:
    """The setup code stands for a second person only while nobody who can sign in holds health, and never for an administrator."""
    if health_can_sign_in:
        return [Reason("second_person_needed", {"role": "health"})]
    if not code_in_order:
        return [Reason("setup_code_wrong")]
    if "administrator" in beneficiary.roles:
        return [Reason("not_for_administrator")]
    return []
