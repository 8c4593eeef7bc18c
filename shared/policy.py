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

GRANTED_ROLES = ("health", "leader", "administrator")
DERIVED_ROLES = ("everyone", "head", "reporter")
HEALTH_ROLES = frozenset({"health"})
GUARDED_ROLES = HEALTH_ROLES | {"leader"}  # given by two; a leader reads who is exempt, by whose certificate, and decides it
SCOPES = ("people:read", "people:write", "vaccination:read", "vaccination:write", "coverage:read")
HEALTH_SCOPES = frozenset({"vaccination:read", "vaccination:write", "people:write"})  # the last names heads, who read who is to be urged

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
        # every service
        "job.read": {"everyone": OWN, "health": ALL, "people:write": ALL},
        "system.read": {"administrator": ALL},
    }
)
