"""What others told duty."""

from services.duty.tables import KnownDepartment, KnownPerson
from shared.known import known_people

known = known_people(KnownPerson, KnownDepartment)
