"""Which rows a caller may see, a line a table; the session adds it to every statement."""

from services.notifications.tables import KnownDepartment, KnownPerson
from shared.db import Scope

SCOPE: Scope = {
    KnownPerson: lambda caller: None,
    KnownDepartment: lambda caller: None,
}
