"""The English sentence of each code that duty says; pages say it in the reader's language."""

SAID: dict[str, str] = {}
