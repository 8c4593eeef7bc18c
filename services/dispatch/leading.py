"""Whoever leads a shift: of whom they may say that they came, and how much they learn of why somebody cannot."""

from services.dispatch.tables import Shift
from shared.auth import Caller
from shared.refusals import Refused

SAID_TO_LEADERS = frozenset({"person_id", "rule", "role", "hours", "least", "most", "action"})


def kept_short(no: Refused, caller: Caller) -> Refused:
    """To whoever leads a shift and sees no others: that it cannot be, not where somebody is instead; until when somebody is fit to who may
    ask who is."""
    needed = "candidate.read" if no.code == "not_fit" else "assignment.read"
    if caller.reach(needed).everything or no.params.get("person_id") == str(caller.person_id):
        return no
    return Refused(no.code, no.status, {name: value for name, value in no.params.items() if name in SAID_TO_LEADERS}, no.errors)


def is_led_by(shift: Shift, caller: Caller) -> bool:
    """Does the caller coordinate, or lead this shift?"""
    leads = shift.leader_id is not None and shift.leader_id == caller.person_id
    return caller.reach("attendance.record").everything or leads
