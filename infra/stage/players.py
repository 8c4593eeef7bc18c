"""Those who play: signed in by the demo's buttons, each with the public API as they meet it, several at a time."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from infra.reference.door import Door

SIDE_BY_SIDE = 4
ALL_SEE_THE_CLOCK = 0.27  # seconds: every process looks at it four times a second
NOT_HEARD_YET = (404, 422)  # another service has not heard of the people yet
Do = Callable[[], object]


class Players:
    """Everybody of the reference case, signed in when they play first."""

    def __init__(self, anyone: Door, ids: dict[str, str]) -> None:
        self._anyone, self.ids = anyone, ids
        self._signed_in: dict[str, Door] = {}

    def as_(self, name: str) -> Door:
        """The API as one of them meets it."""
        if name not in self._signed_in:
            self._signed_in[name] = sign_in(self._anyone, self.ids[name])
        return self._signed_in[name]

    def stand_at(self, moment: datetime) -> None:
        """Set the clock, and wait until every process has seen it."""
        self._anyone.put("/identity/demo/clock", {"at": moment.isoformat()})
        time.sleep(ALL_SEE_THE_CLOCK)

    def clock(self) -> datetime:
        """Where the clock stands."""
        return datetime.fromisoformat(self._anyone.get("/identity/demo/clock")["at"])


def together(things: Iterable[Do]) -> None:
    """Several things side by side; the first that fails ends the load."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for done in [pool.submit(one) for one in things]:
            done.result()


def one_by_one(things: Iterable[Do]) -> None:
    """Several things in turn: those of one person have to do with the same time."""
    for one in things:
        one()


def sign_in(anyone: Door, person_id: str) -> Door:
    """Somebody, by the demo's button."""
    body = {"person_id": person_id, "kind": "desk"}
    session = anyone.post("/identity/demo/sessions", body, once=f"session {person_id} {time.time_ns()}", patient=(404,))
    return anyone.as_(session["secret"])
