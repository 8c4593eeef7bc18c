"""What the leader, the heads and everybody else do with the orders: issued, read, done, recorded."""

import time
from datetime import datetime
from functools import partial

from infra.reference import cast
from infra.reference.door import until
from infra.reference.orders import Order, Recording
from infra.stage.players import Players, together


class Orders:
    """The orders that were issued so far."""

    def __init__(self, players: Players) -> None:
        self._players = players
        self._orders: dict[str, str] = {}

    def issue(self, order: Order) -> None:
        """A leader issues an order to everybody."""
        leader = self._players.as_(cast.LEADER)
        everyone = {"kind": "everyone", "ids": []}
        look = "/notifications/notices/preview"
        until(
            lambda: leader.post(look, {"audience": everyone}, once=f"look {time.time_ns()}")["count"] == len(cast.people()),
            "notifications does not know everybody",
        )
        body = {
            "kind": "order",
            "title": order.title,
            "text": order.text,
            "title_en": order.title_en,
            "text_en": order.text_en,
            "audience": everyone,
            "deadline_at": order.deadline_at.isoformat(),
            "asks_done": order.done_deadline_at is not None,
            "done_deadline_at": order.done_deadline_at and order.done_deadline_at.isoformat(),
        }
        self._orders[order.title] = leader.post("/notifications/notices", body, once=f"order {order.title}")["id"]

    def acknowledge(self, order: Order, at: datetime) -> None:
        """Whoever said at this moment that they read it, and of those who had done it by then."""

        def say(name: str) -> None:
            what = "done" if name in order.done else "acknowledgement"
            path = f"/notifications/inbox/{self._id_of(order)}/{what}"
            self._players.as_(name).post(path, {}, once=f"{what} {name} {order.title}")

        together([partial(say, name) for name, when in order.answered.items() if when == at])

    def record(self, order: Order, recording: Recording) -> None:
        """A head records how those were told who did not answer by themselves."""
        head = next(one.head for one in cast.DEPARTMENTS if one.name == recording.department)
        told = [one.name for one in cast.people() if one.department == recording.department]
        told = [name for name in told if name not in order.answered and name not in order.missing]
        body = {"person_ids": [self._players.ids[name] for name in told], "method": recording.method, "note": recording.note}
        path = f"/notifications/notices/{self._id_of(order)}/records"
        self._players.as_(head).post(path, body, once=f"record {recording.department} {order.title}")

    def _id_of(self, order: Order) -> str:
        if order.title not in self._orders:
            found = self._players.as_(cast.LEADER).get("/notifications/notices", page_size=100)["items"]
            self._orders[order.title] = next(one["id"] for one in found if one["title"] == order.title)
        return self._orders[order.title]
