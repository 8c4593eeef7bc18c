"""What an XLSX file says in cells whose bare value tells less: failed formulas, formulas never computed, leading zeros."""

import html
import re
import zipfile
from collections.abc import Mapping
from xml.etree import ElementTree  # of today refuses to blow entities up; the child's limits hold besides

_CELL = re.compile(rb"<c ([^>]*)(?<!/)>(.*?)</c>", re.DOTALL)
_PLACE, _STYLE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"'), re.compile(rb'\bs="(\d{1,5})"')
_VALUE, _FORMULA = re.compile(rb"<v>([^<]+)</v>"), re.compile(rb"<f[^>]*>([^<]*)</f>|<f[^>]*/>")
_ZEROS = re.compile(r"0{2,20}")
_UNREADABLE = (KeyError, ElementTree.ParseError, zipfile.BadZipFile, NotImplementedError, OSError)


def cells_in_their_own_words(packed: zipfile.ZipFile, sheet_name: str) -> dict[tuple[int, int], str]:
    """(row, column), both from 0 → what stands there. Empty would be an invention, and 12 instead of 0012 another number.

    calamine answers the first with an empty cell and the second without its zeros. What cannot be found is left as calamine read it.
    """
    xml, widths = _sheet_xml(packed, sheet_name), _zero_widths(packed)
    if not (b't="e"' in xml or b"<f" in xml or widths):
        return {}
    told: dict[tuple[int, int], str] = {}
    for cell in _CELL.finditer(xml):
        attributes, inside = cell.groups()
        failed = b't="e"' in attributes
        if not (failed or widths or b"<f" in inside):
            continue
        place = _PLACE.search(attributes)
        if place is not None and (text := _words_of(attributes, inside, failed, widths)):
            told[int(place[2]) - 1, _column(place[1])] = text[:200]
    return told


def _words_of(attributes: bytes, inside: bytes, failed: bool, widths: Mapping[int, int]) -> str | None:
    value = _VALUE.search(inside)
    if failed:
        return value[1].decode(errors="replace") if value else "#N/A"
    if value is None:
        formula = _FORMULA.search(inside)
        return "=" + html.unescape((formula[1] or b"").decode(errors="replace")) if formula else None
    if widths and value[1].isdigit() and _is_number(attributes):
        style = _STYLE.search(attributes)
        width = widths.get(int(style[1]), 0) if style else 0
        return value[1].decode().zfill(width) if len(value[1]) < width else None
    return None


def _is_number(attributes: bytes) -> bool:
    return b" t=" not in b" " + attributes or b't="n"' in attributes


def _column(letters: bytes) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + letter - 64
    return column - 1


def _sheet_xml(packed: zipfile.ZipFile, name: str) -> bytes:
    try:
        book = ElementTree.fromstring(packed.read("xl/workbook.xml"))  # noqa: S314
        links = ElementTree.fromstring(packed.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
        sheet = next((each for each in book.iter() if each.tag.endswith("}sheet") and each.get("name") == name), None)
        key = next((value for attribute, value in (sheet.attrib.items() if sheet is not None else ()) if attribute.endswith("}id")), None)
        target = next((link.get("Target", "") for link in links if link.get("Id") == key), "")
        return packed.read(target[1:] if target.startswith("/") else f"xl/{target}")
    except _UNREADABLE:
        return b""


def _zero_widths(packed: zipfile.ZipFile) -> dict[int, int]:
    """Style number → how many digits it shows at least, for formats such as 00000."""
    try:
        styles = ElementTree.fromstring(packed.read("xl/styles.xml"))  # noqa: S314
    except _UNREADABLE:
        return {}
    zeros = {
        each.get("numFmtId"): len(each.get("formatCode", ""))
        for each in styles.iter()
        if each.tag.endswith("}numFmt") and _ZEROS.fullmatch(each.get("formatCode", ""))
    }
    formats = next((each for each in styles if each.tag.endswith("}cellXfs")), ())
    return {i: zeros[key] for i, each in enumerate(formats) if (key := each.get("numFmtId")) in zeros}
