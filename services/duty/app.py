"""duty: who is on duty: posts, rosters and the duties in them. Composition only."""

from services.duty.known import known
from services.duty.scope import SCOPE
from services.duty.sentences import SAID
from shared.service import service

SLICES = [known]

app = service("duty", SLICES, scope=SCOPE, sentences=SAID)
