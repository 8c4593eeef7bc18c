"""E-mail beside the inbox: one errand a person, its lane the domain of the address, so that a broken mailbox holds up its own alone."""

import asyncio
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifications.acts import MAIL
from services.notifications.reads import is_here, unanswered
from services.notifications.tables import Delivery, KnownContact, KnownPerson, Notice, Recipient
from shared.auth import SYSTEM
from shared.clock import now, zone
from shared.db import Database
from shared.due import later
from shared.errand import CannotSend, Wish, send_later
from shared.house import Due, Errand
from shared.service import Slice
from shared.settings import settings

mail = Slice()

AT_ONCE = 500
"""So many mails are put on the list in one transaction; the next ones follow in the next."""
SECONDS = 15


@mail.due(MAIL)
async def fill_list(tx: AsyncSession, row: Due) -> None:
    """Put the next mails of a notice on the list: to everybody it reached, or as a reminder to those who have not answered."""
    notice_id, why = UUID(row.payload["notice_id"]), row.payload["why"]
    notice = await tx.get(Notice, notice_id)
    if notice is None or notice.withdrawn_at is not None:
        return
    wanted = select(Recipient.person_id, KnownContact.email).join(KnownContact, KnownContact.person_id == Recipient.person_id)
    wanted = wanted.join(KnownPerson, KnownPerson.id == Recipient.person_id)
    wanted = wanted.where(Recipient.notice_id == notice_id, KnownContact.email.like("%_@_%"), is_here())
    if why in ("before", "deadline"):
        wanted = wanted.where(unanswered())
    elif why in ("done_before", "done_deadline"):
        wanted = wanted.where(Recipient.done_at.is_(None))
    if row.payload["after"]:
        wanted = wanted.where(Recipient.person_id > UUID(row.payload["after"]))
    found = (await tx.execute(wanted.order_by(Recipient.person_id).limit(AT_ONCE))).all()
    given = {"notice_id": str(notice_id), "why": why}
    keys = [(f"{notice_id}:{one.person_id}:{why}", _domain(one.email), given | {"person_id": str(one.person_id)}) for one in found]
    await send_later(tx, *(Wish("mail", *one) for one in keys))
    if len(found) == AT_ONCE:
        await later(tx, MAIL, row.key, now(), given | {"after": str(found[-1].person_id)})


def _domain(address: str) -> str:
    return address.rpartition("@")[2].casefold()


async def record_delivery(tx: AsyncSession, errand: Errand, failed: str | None) -> None:
    """What became of it."""
    whose = {"notice_id": UUID(errand.payload["notice_id"]), "person_id": UUID(errand.payload["person_id"]), "why": errand.payload["why"]}
    row = insert(Delivery).values(errand_id=errand.id, **whose, ended_at=now(), error=failed)
    said_anew = {name: row.excluded[name] for name in ("ended_at", "error")}  # given up once, and tried again when the operator said so
    await tx.execute(row.on_conflict_do_update(index_elements=["errand_id"], set_=said_anew))


@mail.errand("mail", ended=record_delivery)
async def send_mail(database: Database, errand: Errand) -> None:
    """Send one mail to the address as it is known now. What was withdrawn, and who left, gets none."""
    async with database.reading(SYSTEM) as read:
        wanted = select(Notice, KnownContact.email).join(KnownContact, KnownContact.person_id == UUID(errand.payload["person_id"]))
        wanted = wanted.join(KnownPerson, KnownPerson.id == KnownContact.person_id)
        found = (await read.execute(wanted.where(Notice.id == UUID(errand.payload["notice_id"]), is_here()))).one_or_none()
    if found is None or not found.email:
        raise CannotSend("no address is known any more", permanent=True)
    if found.Notice.withdrawn_at is not None:
        raise CannotSend("the notice was withdrawn", permanent=True)
    server = _server()
    try:
        words = _message(found.Notice, found.email, errand)
    except (ValueError, HeaderParseError, IndexError) as odd:  # an address that the header refuses will be refused tomorrow as well
        raise CannotSend("the address cannot be written to", permanent=True) from odd
    await deliver(server, words)


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool


def _server() -> Server:
    parts = urlsplit(settings().smtp_url.get_secret_value())
    if not parts.hostname:
        raise CannotSend("no mail server is set")
    tls = parts.scheme == "smtps"
    user, password = (unquote(one) if one else None for one in (parts.username, parts.password))
    return Server(parts.hostname, parts.port or (465 if tls else 25), user, password, tls)


def _message(notice: Notice, address: str, errand: Errand) -> EmailMessage:
    """Both languages where there are two, the deadline in the institution's time, and a link."""
    if parseaddr(address)[1] != address or any(ord(one) < 33 for one in address):
        raise ValueError("no single address")
    reminds = errand.payload["why"] != "issued"
    found = EmailMessage()
    found["From"], found["To"] = settings().mail_from, address
    found["Subject"] = ("[提醒 Reminder] " if reminds else "") + " / ".join(one for one in (notice.title, notice.title_en) if one)
    found["Date"], found["Message-ID"] = formatdate(usegmt=True), f"<{errand.id}@{_domain(settings().mail_from) or 'localhost'}>"
    found["Auto-Submitted"] = "auto-generated"
    lines = [notice.text]
    due_at = notice.done_deadline_at if errand.payload["why"].startswith("done") else notice.deadline_at
    if due_at is not None:
        lines.append(f"请于 {due_at.astimezone(zone()):%Y-%m-%d %H:%M} 前回复确认。")
    if notice.text_en:
        lines.append(notice.text_en)
        lines += [f"Please acknowledge by {due_at.astimezone(zone()):%Y-%m-%d %H:%M}."] if due_at is not None else []
    lines += [f"{settings().public_url.rstrip('/')}/inbox/{notice.id}"] if settings().public_url else []
    found.set_content("\n\n".join([*lines, notice.issued_by_name]))
    return found


async def deliver(server: Server, words: EmailMessage) -> None:
    """Hand one mail in, within bounded time. A mailbox that is refused for good is permanent; whatever else goes wrong may pass."""
    given: dict[str, Any] = {"hostname": server.host, "port": server.port, "use_tls": server.tls}
    try:
        async with asyncio.timeout(SECONDS):
            await aiosmtplib.send(words, **given, username=server.user, password=server.password, timeout=SECONDS)
    except aiosmtplib.SMTPRecipientsRefused as no:
        codes = [one.code for one in no.recipients]
        raise CannotSend(f"the mailbox was refused: {codes[0] if codes else ''}", permanent=all(code >= 500 for code in codes)) from no
    except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPAuthenticationError) as no:  # ours to put right, and then it goes out
        raise CannotSend(f"the mail server does not take mail from us: {no.code}") from no
    except aiosmtplib.SMTPResponseException as no:
        for_good = isinstance(no, aiosmtplib.SMTPDataError) and no.code >= 500
        raise CannotSend(f"the mail server refused: {no.code}", permanent=for_good) from no
    except TimeoutError as late:
        raise CannotSend("the mail server does not answer") from late
    except (aiosmtplib.SMTPException, OSError, ValueError) as odd:
        raise CannotSend(f"the mail server cannot be used: {type(odd).__name__}") from odd
