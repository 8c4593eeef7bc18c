"""duty: who is on duty: posts, rosters and the duties in them. Composition only."""

from services.duty.candidates import candidates
from services.duty.copies import copies
from services.duty.duties import duties
from services.duty.feeds import feeds
from services.duty.gaps import gaps
from services.duty.known import known, plan_watch
from services.duty.posts import posts
from services.duty.rosters import rosters
from services.duty.scope import SCOPE
from services.duty.sentences import SAID
from shared.service import service

SLICES = [copies, posts, rosters, candidates, duties, gaps, feeds, known]

app = service("duty", SLICES, scope=SCOPE, sentences=SAID, begin=plan_watch)
