"""What others told notifications."""

from services.notifications.tables import KnownDepartment, KnownPerson
from shared.known import known_people

known = known_people(KnownPerson, KnownDepartment)
