"""The codes of the services and what each says, in English: a file a service; the Chinese of all stands in locale/zh_Hans.po.

{name} is filled from the code's params: dates, instants, numbers and lists are written in the page's language. `done.<code>` is said
in a toast after a redirect to ?done=<code>. A code that two services say, and means the same in both, stands in everywhere.py.
"""

from gateway.codes import dispatch, duty, everywhere, identity, notifications, personnel, staff_lists

FILES = (everywhere, identity, personnel, staff_lists, duty, dispatch, notifications)
WORDS: dict[str, str] = {code: sentence for file in FILES for code, sentence in file.WORDS.items()}
