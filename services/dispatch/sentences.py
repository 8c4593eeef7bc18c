"""The English sentence of each code that dispatch says; pages say it in the reader's language."""

SAID: dict[str, str] = {}
