"""A mail server of the tests: it takes mail, hangs, lies, refuses, or is not there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default

import pytest

from shared.settings import settings

HOW = ("takes", "hangs", "lies", "hangs up", "refuses the mailbox", "is busy", "refuses us", "refuses the words")


class MailServer:
    """Speaks SMTP on a free port of this machine, in the way it was told to."""

    def __init__(self, how: str = "takes") -> None:
        self.how, self.port, self.tries = how, 0, 0
        self.taken: list[tuple[str, Message]] = []
        self.refused_mailboxes: set[str] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.tries += 1
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.how == "hangs":
            await reader.read()  # until the other side gives up
            return
        writer.write(b"\xff\xfe no mail server at all\r\n" if self.how == "lies" else b"220 mail.example.org\r\n")
        to = ""
        while line := await reader.readline():
            words = line.decode("utf-8", "replace").strip()
            verb = words[:4].upper()
            if verb == "RCPT":
                to = words.partition("<")[2].partition(">")[0]
            if verb == "QUIT":
                writer.write(b"221 bye\r\n")
                return
            if verb == "DATA" and self.how != "refuses us":
                if self.how == "hangs up":
                    return
                writer.write(b"354 go on\r\n")
                body = await reader.readuntil(b"\r\n.\r\n")
                if self.how == "refuses the words":
                    writer.write(b"554 5.7.1 spam\r\n")
                    continue
                self.taken.append((to, message_from_bytes(body[:-5], policy=default)))
                writer.write(b"250 taken\r\n")
                continue
            writer.write(self._answer(verb, to))

    def _answer(self, verb: str, to: str) -> bytes:
        if verb == "MAIL" and self.how == "refuses us":
            return b"550 5.7.1 not from you\r\n"
        if verb == "RCPT" and (self.how == "refuses the mailbox" or to in self.refused_mailboxes):
            return b"550 5.1.1 no such mailbox\r\n"
        if verb == "RCPT" and self.how == "is busy":
            return b"451 4.7.1 later\r\n"
        return b"250 mail.example.org\r\n"


@asynccontextmanager
async def mail_server(monkeypatch: pytest.MonkeyPatch, how: str = "takes") -> AsyncIterator[MailServer]:
    """It runs, and the settings name it."""
    found = MailServer(how)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{found.port}")
    monkeypatch.setenv("MAIL_FROM", "muster@institution.example.org")
    settings.cache_clear()
    try:
        yield found
    finally:
        server.close()
        monkeypatch.delenv("SMTP_URL")
        monkeypatch.delenv("MAIL_FROM")
        settings.cache_clear()
