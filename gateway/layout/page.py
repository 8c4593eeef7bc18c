"""What belongs to the frame: the choice of language and of light or dark, the page of everything one may open, the one of no network."""

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import typed
from gateway.i18n import COOKIE, LANGUAGES, back_to, safe_next
from gateway.pages import SCHEMES, Pages, page

pages = Pages()
_YEAR = 365 * 24 * 3600


@pages.post("/language", open_to_all="whoever reads a page may choose its language")
async def choose_language(request: Request) -> Response:
    """Keep the chosen language in a cookie and go back to the page one came from."""
    form = await typed(request)
    answer = RedirectResponse(safe_next(form["next"]) if isinstance(form.get("next"), str) else back_to(request), 303)
    if form.get("lang") in LANGUAGES:
        answer.set_cookie(COOKIE, form["lang"], max_age=_YEAR, httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return answer


@pages.post("/scheme", open_to_all="whoever reads a page may choose light or dark")
async def choose_scheme(request: Request) -> Response:
    """Keep light or dark in a cookie; anything else follows the device again."""
    form = await typed(request)
    answer = RedirectResponse(back_to(request), 303)
    if form.get("scheme") in SCHEMES:
        answer.set_cookie("scheme", form["scheme"], max_age=_YEAR, httponly=True, samesite="lax", secure=request.url.scheme == "https")
    else:
        answer.delete_cookie("scheme", httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return answer


@pages.get("/menu")
async def show_menu(request: Request) -> Response:
    """Everything one may open, for the phone, whose tab bar is too short for it."""
    return page(request, "layout/menu.html")


@pages.get("/offline", open_to_all="a phone keeps it for when there is no network; nothing of anybody stands in it")
async def show_no_network(request: Request) -> Response:
    """What a phone shows in place of a page that it cannot fetch."""
    return page(request, "layout/offline.html")
