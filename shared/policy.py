"""Who may do what, for which rows: the one policy that the doors, the row scopes, the documentation and the generated test read."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Extent(StrEnum):
    """Which rows an action reaches: one's own, those of one's departments with everything below, or all."""

    OWN = "own"
    DEPARTMENT = "department"
    ALL = "all"


OWN, DEPARTMENT, ALL = Extent.OWN, Extent.DEPARTMENT, Extent.ALL

GRANTED_ROLES = ("health", "duty_planner", "coordinator", "leader", "administrator")
DERIVED_ROLES = ("everyone", "head", "reporter", "duty_officer")  # the last: whoever the published roster says is on duty now
HEALTH_ROLES = frozenset({"health"})
GUARDED_ROLES = HEALTH_ROLES | {"leader"}  # given by two; a leader reads who is exempt, by whose certificate, and decides it
SCOPES = (
    "people:read",
    "people:write",
    "vaccination:read",
    "vaccination:write",
    "coverage:read",
    "duty:read",
    "duty:write",
    "dispatch:read",
    "dispatch:write",
    "notices:read",
    "notices:write",
)
HEALTH_SCOPES = frozenset({"vaccination:read", "vaccination:write", "coverage:read", "people:write", "dispatch:write"})
"""Approved by a holder of health: coverage:read counts the smallest groups, of whom everybody knows who they are; people:write names
heads, who read who is to be urged; dispatch:write asks who is fit for what."""

ACTIONS: Mapping[str, Mapping[str, Extent]] = MappingProxyType(
    {
        # personnel
        "institution.change": {"administrator": ALL},
        "department.read": {"everyone": ALL, "health": ALL, "leader": ALL, "administrator": ALL, "people:read": ALL, "people:write": ALL},
        "department.change": {"health": ALL, "administrator": ALL, "people:write": ALL},
        "person.read": {
            "everyone": OWN,
            "head": DEPARTMENT,
            "reporter": DEPARTMENT,
            "health": ALL,
            "leader": ALL,
            "people:read": ALL,
            "people:write": ALL,
            "vaccination:read": ALL,
            "vaccination:write": ALL,
        },
        "person.search": {
            "head": DEPARTMENT,
            "reporter": DEPARTMENT,
            "health": ALL,
            "leader": ALL,
            "people:read": ALL,
            "people:write": ALL,
        },
        "person.create": {"health": ALL, "administrator": ALL, "people:write": ALL},
        "person.change": {"health": ALL, "people:write": ALL},
        "contact.read": {"everyone": OWN, "health": ALL, "people:write": ALL},
        "health.read": {"everyone": OWN, "health": ALL, "vaccination:read": ALL},
        "standing.read": {"everyone": OWN, "health": ALL, "vaccination:read": ALL},
        "dose.record": {"health": ALL, "vaccination:write": ALL},
        "exemption.record": {"health": ALL},
        "exemption.decide": {"health": ALL, "leader": ALL},
        "statement.record": {"health": ALL},
        "coverage.read": {"health": ALL, "leader": ALL, "head": DEPARTMENT, "coverage:read": ALL},
        "urge.read": {"health": ALL, "head": DEPARTMENT, "vaccination:read": ALL},
        "import.run": {"health": ALL},
        "remark.write": {"everyone": OWN},
        "remark.read": {"everyone": OWN, "health": ALL},
        "remark.answer": {"health": ALL},
        # identity
        "account.read": {"administrator": ALL, "health": ALL},
        "account.change": {"administrator": ALL},
        "activation.print": {"health": ALL, "administrator": ALL},
        "role.read": {"administrator": ALL, "health": ALL},
        "role.give": {"administrator": ALL, "health": ALL},
        "client.read": {"administrator": ALL, "health": ALL},
        "client.change": {"administrator": ALL},
        "client.approve": {"health": ALL},
        "look.read": {"everyone": OWN, "health": ALL},
        "sign_in.read": {"everyone": OWN, "administrator": ALL},
        # duty
        "post.read": {"everyone": ALL, "duty:read": ALL, "duty:write": ALL},
        "post.change": {"duty_planner": ALL, "leader": ALL, "duty:write": ALL},
        "post.entrust": {"leader": ALL},  # that a post gives the duty officer's rights, and who may hold such a post
        "roster.read": {"everyone": ALL, "duty:read": ALL, "duty:write": ALL},  # what is published hangs on the wall
        "roster.plan": {"duty_planner": ALL, "duty:write": ALL},
        "duty.feed": {"everyone": OWN},
        # dispatch; one's own are also the rows of the shifts and teams one leads
        "team.read": {"everyone": OWN, "coordinator": ALL, "leader": ALL, "duty_officer": ALL, "dispatch:read": ALL, "dispatch:write": ALL},
        "team.change": {"coordinator": ALL, "dispatch:write": ALL},
        "operation.read": {"everyone": ALL, "dispatch:read": ALL, "dispatch:write": ALL},
        "operation.change": {"coordinator": ALL, "dispatch:write": ALL},
        "board.read": {"coordinator": ALL, "leader": ALL, "duty_officer": ALL, "dispatch:read": ALL},
        "candidate.read": {"coordinator": ALL, "leader": ALL, "dispatch:write": ALL},
        "assignment.read": {
            "everyone": OWN,
            "coordinator": ALL,
            "leader": ALL,
            "duty_officer": ALL,
            "dispatch:read": ALL,
            "dispatch:write": ALL,
        },
        "assignment.confirm": {"coordinator": ALL, "leader": ALL, "dispatch:write": ALL},  # a leader, since only a leader overrides
        "assignment.override": {"leader": ALL},
        "assignment.answer": {"everyone": OWN},
        "assignment.free": {"coordinator": ALL, "duty_planner": ALL},
        "attendance.record": {"everyone": OWN, "coordinator": ALL, "duty_officer": ALL, "dispatch:write": ALL},
        "count.record": {"everyone": OWN, "coordinator": ALL, "dispatch:write": ALL},
        # notifications
        "notice.issue": {"leader": ALL, "coordinator": ALL, "duty_officer": ALL, "health": ALL, "notices:write": ALL},
        "notice.read": {"everyone": OWN},
        "notice.progress": {
            "head": DEPARTMENT,
            "reporter": DEPARTMENT,
            "leader": ALL,
            "coordinator": ALL,
            "duty_officer": ALL,
            "health": ALL,
            "notices:read": ALL,
            "notices:write": ALL,
        },
        "acknowledgement.give": {"everyone": OWN},
        "acknowledgement.record": {"head": DEPARTMENT, "reporter": DEPARTMENT},
        "leader_number.read": {"everyone": OWN},
        "call_list.read": {"duty_officer": ALL, "leader": ALL},  # numbers of those who answer for something
        "webhook.change": {"administrator": ALL},
        # every service
        "job.read": {"everyone": OWN, "health": ALL, "people:write": ALL},
        "system.read": {"administrator": ALL},
    }
)
