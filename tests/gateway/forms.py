"""What the form of a page would send, as a browser reads it."""

import re
from html import unescape

import httpx


def fields_of(answer: httpx.Response) -> dict[str, str]:
    """The fields of the page's card form with what stands in them; choices that nobody has made yet are left out."""
    form = answer.text.split('<form class="card"', 1)[1].split("</form>", 1)[0]
    found = {name: unescape(value) for name, value in re.findall(r'<input[^>]*\sname="([^"]+)"[^>]*\svalue="([^"]*)"', form)}
    for name, options in re.findall(r'<select[^>]*\sname="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return {name: value for name, value in found.items() if not name.startswith("take_")}
