"""The privacy notice, in both languages and with its version: what is kept, why, on which basis, how long, and who sees it."""

from fastapi import Request
from starlette.responses import Response

from gateway.pages import Pages, page
from gateway.services import identity

pages = Pages()


@pages.get("/privacy", open_to_all="one reads it before one comes in")
async def show_notice(request: Request) -> Response:
    """The notice in force, the page's language first."""
    notice = await identity.try_get("/notice")
    return page(request, "privacy/privacy.html", 200 if notice else 503, notice=notice)
