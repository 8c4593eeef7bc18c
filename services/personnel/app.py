"""personnel: who the institution answers for, and how they stand. Composition only."""

from services.personnel.departments import departments
from services.personnel.doses import doses
from services.personnel.institution import institution
from services.personnel.people import people
from services.personnel.records import records
from services.personnel.scope import SCOPE
from shared.service import service

SLICES = [institution, departments, people, records, doses]

app = service("personnel", SLICES, scope=SCOPE)
