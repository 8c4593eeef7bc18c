"""Keeps the translations beside the pages: `python infra/words.py` adds what is newly said and drops what nobody says any more."""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

HOUSE = Path(__file__).parent.parent
GATEWAY = HOUSE / "gateway"
KEYWORDS = {"_": None, "gettext": (2,), "ngettext": (1, 2), "N_": None}
HEADER = (
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "Language: zh_Hans",
    "Plural-Forms: nplurals=1; plural=0;",
)
SHARED = "locale"  # the words of the frame, and those said in more than one page
FRAME = ("layout", "codes")  # folders of the frame, which are no pages


def said(folder: Path) -> Iterator[str | tuple[str, str]]:
    """Every sentence a folder of the gateway says, in its templates and its Python."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix in (".html", ".py")]
    for path in files:
        method = "jinja2.ext:babel_extract" if path.suffix == ".html" else "python"
        options = {"extensions": "jinja2.ext.do", "trimmed": "true"} if path.suffix == ".html" else {}
        for _line, message, _comments, _context in extract_from_file(method, path, keywords=KEYWORDS, options=options):
            yield message if isinstance(message, str) else (message[0], message[1])


def folders() -> dict[Path, list[Path]]:
    """Which word file speaks for which folders."""
    pages = [path for path in sorted(GATEWAY.iterdir()) if path.is_dir() and path.name not in ("static", SHARED, *FRAME, "__pycache__")]
    return {
        GATEWAY / SHARED / "zh_Hans.po": [GATEWAY, *(GATEWAY / name for name in FRAME)],
        **{page / "zh_Hans.po": [page] for page in pages},
    }


def needed() -> dict[Path, set[str | tuple[str, str]]]:
    """What each word file has to translate. What the shared file has, a page need not say again."""
    wanted = {file: {message for folder in sources for message in said(folder)} for file, sources in folders().items()}
    shared = wanted[GATEWAY / SHARED / "zh_Hans.po"]
    return {file: messages if messages is shared else messages - shared for file, messages in wanted.items()}


def known(file: Path) -> Catalog:
    """The catalog in a word file; an empty one when there is none yet."""
    if not file.exists():
        return Catalog(locale="zh_Hans", charset="utf-8", header_comment="")
    with file.open("rb") as opened:
        return read_po(opened, locale="zh_Hans")


def spoken(message: Message) -> bool:
    """Has a sentence words?"""
    return bool(message.string) if isinstance(message.string, str) else all(message.string or ("",))


def main() -> None:
    """Bring every word file up to date with what its pages say, and count what is still without words."""
    for file, messages in needed().items():
        before, after = known(file), Catalog(locale="zh_Hans", charset="utf-8", header_comment="")
        for message in sorted(messages, key=str):
            old = before.get(message if isinstance(message, str) else message[0])
            after.add(message, old.string if old else None)
        if messages or file.exists():
            lines = ['msgid ""', 'msgstr ""', *(f'"{line}\\n"' for line in HEADER), ""]
            with file.open("wb") as opened:
                opened.write(("\n".join(lines) + "\n").encode())
                write_po(opened, after, width=0, omit_header=True)
        missing = sum(
            not (message.string if isinstance(message.string, str) else all(message.string or ("",))) for message in after if message.id
        )
        print(f"{file.relative_to(HOUSE)}: {len(messages)} said, {missing} without words")


if __name__ == "__main__":
    main()
