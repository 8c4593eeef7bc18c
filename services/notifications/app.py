"""notifications: who has been told: notices, acknowledgements, alerts and what leaves the house. Composition only."""

from services.notifications.alerts import alerts
from services.notifications.call_list import call_list
from services.notifications.copies import copies
from services.notifications.inbox import inbox
from services.notifications.known import known
from services.notifications.leader_numbers import leader_numbers
from services.notifications.mail import mail
from services.notifications.notices import notices
from services.notifications.progress import progress
from services.notifications.records import records
from services.notifications.reminders import reminders
from services.notifications.scope import SCOPE
from services.notifications.sentences import SAID
from services.notifications.webhooks import webhooks
from shared.service import service

SLICES = [copies, notices, progress, records, inbox, reminders, alerts, leader_numbers, call_list, mail, webhooks, known]

app = service("notifications", SLICES, scope=SCOPE, sentences=SAID)
