"""What others told dispatch."""

from services.dispatch.tables import KnownDepartment, KnownPerson
from shared.known import known_people

known = known_people(KnownPerson, KnownDepartment)
