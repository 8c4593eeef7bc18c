"""What the roles of whoever looks allow, by the one policy: a page leaves out what the services would refuse."""

from starlette.requests import Request

from gateway.services import Said
from shared.policy import ACTIONS, ALL, OWN


def may(request: Request, action: str) -> bool:
    """May this be done for others than oneself?"""
    return any(ACTIONS[action].get(role, OWN) != OWN for role in request.state.me["roles"])


def may_everywhere(request: Request, action: str) -> bool:
    """May this be done for all, not for one's own department alone?"""
    return any(ACTIONS[action].get(role) == ALL for role in request.state.me["roles"])


def refuse_unless(request: Request, *actions: str) -> None:
    """The page is not there for whoever may do none of these. Raises Said: the page of errors says so."""
    if not any(may(request, action) for action in actions):
        raise Said(403, {"code": "not_allowed", "status": 403, "params": {}, "errors": []})
