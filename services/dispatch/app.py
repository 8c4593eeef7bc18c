"""dispatch: who goes where: teams, operations, shifts and the people on them. Composition only."""

from services.dispatch.known import known
from services.dispatch.scope import SCOPE
from services.dispatch.sentences import SAID
from shared.service import service

SLICES = [known]

app = service("dispatch", SLICES, scope=SCOPE, sentences=SAID)
