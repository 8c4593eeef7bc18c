"""dispatch: who goes where: teams, operations, shifts and the people on them. Composition only."""

from services.dispatch.alerts import alerts
from services.dispatch.arrivals import arrivals
from services.dispatch.assignments import assignments
from services.dispatch.attendance import attendance
from services.dispatch.board import board
from services.dispatch.candidates import candidates
from services.dispatch.closings import closings
from services.dispatch.copies import copies
from services.dispatch.corrections import corrections
from services.dispatch.counts import counts
from services.dispatch.days import days
from services.dispatch.demo import demo
from services.dispatch.fillings import fillings
from services.dispatch.known import known
from services.dispatch.operations import operations
from services.dispatch.scope import SCOPE
from services.dispatch.sentences import SAID
from services.dispatch.shifts import shifts
from services.dispatch.sites import sites
from services.dispatch.teams import teams
from shared.service import service

SLICES = [
    copies,
    known,
    teams,
    operations,
    days,
    board,
    closings,
    sites,
    counts,
    candidates,
    shifts,
    assignments,
    fillings,
    arrivals,
    attendance,
    corrections,
    alerts,
    demo,
]

app = service("dispatch", SLICES, scope=SCOPE, sentences=SAID)
