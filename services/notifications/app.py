"""notifications: who has been told: notices, acknowledgements, alerts and what leaves the house. Composition only."""

from services.notifications.known import known
from services.notifications.scope import SCOPE
from services.notifications.sentences import SAID
from shared.service import service

SLICES = [known]

app = service("notifications", SLICES, scope=SCOPE, sentences=SAID)
