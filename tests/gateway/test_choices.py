"""What a service answers out of a few choices has a word for each of them, and no word is kept for a choice that is gone."""

from typing import Any, get_args

import pytest

from gateway.codes import WORDS
from services.dispatch.shapes import AssignmentStanding, OperationKind
from services.identity.acts import Kind as DeviceKind
from services.identity.clients import ClientShown, KeyShown
from services.identity.roles import RoleState
from services.identity.sheets import ActivationShown
from services.notifications.progress import ReminderShown, Standing
from services.notifications.shapes import AudienceKind, Method, NoticeKind
from services.notifications.webhooks import DeliveryShown
from services.notifications.webhooks import Kind as WebhookKind
from services.personnel.importing.shapes import ImportState, Outcome
from services.personnel.remarks import About
from services.personnel.rules.doses import REASONS
from services.personnel.shapes import Employment, ExemptionShown, ProgrammeCode, StandingCode, StatementShown
from shared import fitness
from shared.events import PlaceOpened
from shared.policy import DERIVED_ROLES, GRANTED_ROLES, SCOPES


def of(shown: Any, field: str) -> tuple[str, ...]:
    """The choices of a field of an answer."""
    choices: tuple[str, ...] = get_args(shown.model_fields[field].annotation)
    return choices


DECIDED = [state for shown in (ActivationShown, KeyShown, ClientShown, ExemptionShown) for state in of(shown, "state")]
CHOICES: dict[str, tuple[str, ...]] = {
    "assignment": get_args(AssignmentStanding),
    "operation": get_args(OperationKind),
    "because": of(PlaceOpened, "because"),
    "rule": fitness.CODES,
    "role": (*DERIVED_ROLES, *GRANTED_ROLES, "shift_leader", "volunteer"),  # the last two are buttons of the demo
    "scope": SCOPES,
    "state": (*get_args(RoleState), *DECIDED),
    "device": get_args(DeviceKind),
    "notice": get_args(NoticeKind),
    "audience": (*get_args(AudienceKind), "urged"),  # the gateway makes people of the last
    "recipient": get_args(Standing),
    "method": get_args(Method),
    "reminder": of(ReminderShown, "kind"),
    "webhook": get_args(WebhookKind),
    "delivery": of(DeliveryShown, "state"),
    "employment": get_args(Employment),
    "programme": get_args(ProgrammeCode),
    "standing": get_args(StandingCode),
    "dose": (*REASONS, "withdrawn", "superseded"),
    "kind": of(ExemptionShown, "kind"),
    "statement": of(StatementShown, "kind"),
    "import": (*get_args(ImportState), "changed_meanwhile"),
    "outcome": get_args(Outcome),
    "about": get_args(About),
}


@pytest.mark.parametrize("prefix", CHOICES)
def test_every_choice_has_a_word_and_every_word_is_a_choice(prefix: str) -> None:
    words = {code.removeprefix(f"{prefix}.") for code in WORDS if code.startswith(f"{prefix}.")}

    assert set(CHOICES[prefix]) - words == set(), f"say {prefix}.<choice> in gateway/codes"
    assert words - set(CHOICES[prefix]) == set(), f"{prefix}.<choice> is answered by nobody: delete the word"
