"""personnel: who the institution answers for, and how they stand. Composition only."""

from services.personnel.copies import copies
from services.personnel.coverage import coverage
from services.personnel.departments import departments
from services.personnel.doses import doses
from services.personnel.exemptions import exemptions
from services.personnel.fitness import fitness
from services.personnel.health_records import health_records
from services.personnel.imports import imports
from services.personnel.institution import institution
from services.personnel.people import people
from services.personnel.people_export import people_export
from services.personnel.remarks import remarks
from services.personnel.retention import retention
from services.personnel.rules.words import SENTENCES as IMPORT_SENTENCES
from services.personnel.scope import SCOPE
from services.personnel.sentences import SAID
from services.personnel.statements import statements
from services.personnel.urge import urge
from shared.service import service

SLICES = [
    institution,
    departments,
    people_export,
    people,
    health_records,
    fitness,
    doses,
    exemptions,
    statements,
    coverage,
    urge,
    remarks,
    copies,
    retention,
    imports,
]

app = service("personnel", SLICES, scope=SCOPE, sentences={**IMPORT_SENTENCES, **SAID})
