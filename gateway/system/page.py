"""The operator's page: what is late in each service, the store of events, the disk, the last backup."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.responses import Response

from gateway.pages import Pages, page
from gateway.services import ALL, Away, Service, gather, log

pages = Pages()

UNSENT_LATE_SECONDS = 10  # the relay sends within a second; ten are worth a look
UNSENT_BAD_SECONDS = 120
PENDING_LATE = 200  # one event holds up to 200 people
DISK_LATE_SHARE, DISK_BAD_SHARE = 0.15, 0.05
BACKUP_LATE_SECONDS = 26 * 3600  # a backup a day, and two hours for it to be made
ERRAND_LATE_SECONDS = 600  # an order to all is mailed in minutes; what waits longer is not taken
JOB_LATE_SECONDS = 900  # the longest, an import of 50,000, takes seconds
CALM, LOOK, ACT = "ok", "warn", "bad"


@pages.get("/system")
async def show_system(request: Request) -> Response:
    """Each service as it says itself, or that it does not answer."""
    said = await gather(*(_status(one) for one in ALL))
    services = [{"name": one.name, "status": status, "states": states_of(status)} for one, status in zip(ALL, said, strict=True)]
    worst = max((state for one in services for state in one["states"].values()), key=(CALM, LOOK, ACT).index, default=CALM)
    away = [one["name"] for one in services if one["status"] is None]
    place = next((one["status"] for one in services if one["status"] and one["status"]["disk_total_bytes"]), None)
    return page(request, "system/system.html", services=services, worst=ACT if away else worst, away=away, place=place)


async def _status(service: Service) -> Any | None:
    """None while it does not answer; that one may not ask is no such case, and has a page of its own."""
    try:
        return await service.get("/status")
    except Away as away:
        log.info("left out", service=service.name, path="/status", reason=str(away))
        return None


def states_of(status: Mapping[str, Any] | None) -> dict[str, str]:
    """How each figure stands: calm, to be looked at, to be acted upon."""
    if status is None:
        return {}
    oldest, late = status["oldest_unsent_seconds"], status["due_late_count"]
    pending = max((one["pending_count"] or 0 for one in status["consumers"]), default=0)
    states = {
        "unsent": ACT if oldest > UNSENT_BAD_SECONDS else LOOK if oldest > UNSENT_LATE_SECONDS else CALM,
        "pending": LOOK if pending > PENDING_LATE else CALM,
        "parked": ACT if status["parked_count"] or status["due_parked_count"] else CALM,
        "due": LOOK if late else CALM,
        "nats": CALM if status["nats_connected"] else ACT,
        "jobs": LOOK if status["oldest_job_seconds"] > JOB_LATE_SECONDS else CALM,
    }
    for one in status["errands"]:
        behind = one["oldest_waiting_seconds"] > ERRAND_LATE_SECONDS or one["failed_count"]
        states[one["kind"]] = LOOK if behind else CALM
    if status["disk_total_bytes"]:
        free = status["disk_free_bytes"] / status["disk_total_bytes"]
        states["disk"] = ACT if free < DISK_BAD_SHARE else LOOK if free < DISK_LATE_SHARE else CALM
        age = status["backup_age_seconds"]
        states["backup"] = LOOK if age is None or age > BACKUP_LATE_SECONDS else CALM
    return states
