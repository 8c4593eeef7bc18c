"""The stops of the story: at which moment who does what. One can go from any of them to a later one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from infra.reference import deployment as plan
from infra.reference.orders import ORDERS
from infra.stage.deployment import Deployment
from infra.stage.orders import Orders
from infra.stage.players import Do, Players, together


class Story:
    """Everything that happens from the forming of the teams on."""

    def __init__(self, players: Players) -> None:
        self._players = players
        self._deployment, self._orders = Deployment(players), Orders(players)

    def play(self, after: datetime, upto: datetime) -> None:
        """All stops after one moment, up to and with another, in order; what happens at one moment side by side."""
        for at, things in self.stops():
            if after < at <= upto:
                self._players.stand_at(at)
                together(things)

    def play_on(self, after: datetime) -> datetime:
        """What happened since a moment, as far as the clock has come, without moving it; until when all was played."""
        upto = self._players.clock()
        for at, things in self.stops():
            if after < at <= upto:
                together(things)
        return max(after, upto)

    def stops(self) -> list[tuple[datetime, list[Do]]]:
        """Everything that happened, moment by moment, in order."""
        found: dict[datetime, list[Do]] = {}
        for at, thing in (*_teams(self._deployment), *_days(self._deployment), *_told(self._orders)):
            found.setdefault(at, []).append(thing)
        return sorted(found.items(), key=lambda one: one[0])


def _teams(deployment: Deployment) -> Iterator[tuple[datetime, Do]]:
    yield plan.FORMED_AT, deployment.form_teams
    for number, on in enumerate(plan.DAYS):  # one day after the other: each has to do with the same people's time
        yield plan.ANSWERED_AT + timedelta(minutes=10 * number), partial(deployment.answer, on)
    for number, shift in enumerate(sorted({shift for shift, _ in plan.CANNOT_COME}, key=lambda one: one.starts_at)[:2]):
        yield plan.ANSWERED_AT + timedelta(minutes=40 + number), partial(deployment.replace, shift)


def _days(deployment: Deployment) -> Iterator[tuple[datetime, Do]]:
    for on in plan.DAYS:
        morning = datetime(on.year, on.month, on.day, 7, 30, tzinfo=plan.ZONE)
        if on != plan.DAYS[0]:
            yield morning, partial(deployment.answer, on, the_rest=True)
        for turn in range(len(plan.TIMES)):
            shift = plan.Shift(on, turn, 0)
            before = shift.starts_at - timedelta(minutes=2)
            yield before, partial(deployment.check_in, on, turn)
            yield shift.starts_at + timedelta(minutes=25), partial(deployment.check_in, on, turn, the_rest=True)
            yield shift.ends_at + timedelta(minutes=1), partial(deployment.check_out, on, turn)
        for hour in plan.HOURS[::2]:
            over = datetime(on.year, on.month, on.day, hour, tzinfo=plan.ZONE) + timedelta(minutes=122)
            yield over, partial(deployment.count, on, (hour, hour + 1))


def _told(orders: Orders) -> Iterator[tuple[datetime, Do]]:
    for order in ORDERS:
        yield order.issued_at, partial(orders.issue, order)
        for at in sorted(set(order.answered.values())):
            yield at, partial(orders.acknowledge, order, at)
        for recording in order.recordings:
            yield recording.at, partial(orders.record, order, recording)
