"""The description of the API, to read and to try."""
