"""Pictures that a phone's camera reads, and the address they lead to."""

import segno
from fastapi import Request
from markupsafe import Markup

from shared.settings import settings


def own_address(request: Request) -> str:
    """Where a phone reaches this page: PUBLIC_URL, else the host one is on now."""
    return settings().public_url.rstrip("/") or f"{request.url.scheme}://{request.url.netloc}"


def qr(url: str) -> Markup:
    """The picture of an address. Bigger than the least there is, so that a crumpled sheet can still be read."""
    drawn = segno.make(url, error="m", micro=False).svg_inline(omitsize=True, svgclass="qr", lineclass=None, border=2)
    return Markup(drawn.replace("<svg ", '<svg role="img" aria-label="QR" ', 1))  # noqa: S704 our own drawing of our own address
