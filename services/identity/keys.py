"""Codes, secrets and keys: how they are made, read as people type them, and hashed before they are kept."""

import hashlib
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U, so that a code can be read aloud and typed with gloves
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0"})
ACTIVATION_LENGTH = 10  # 50 bits: with 50,000 open codes and a limit by address, guessing one takes centuries
SETUP_LENGTH = 15
_KEY_PREFIX = "muster"
_KEY_ID_LENGTH = 10


def new_code(length: int) -> str:
    """A code of so many letters, in groups of five."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(length))
    return "-".join(letters[start : start + 5] for start in range(0, length, 5))


def read_code(typed: str, length: int) -> str | None:
    """The code as it was made, whatever dashes, blanks and small letters were typed; None when it cannot be one."""
    letters = "".join(typed.upper().replace("-", " ").split()).translate(_READ_AS)
    if len(letters) != length or any(letter not in ALPHABET for letter in letters):
        return None
    return "-".join(letters[start : start + 5] for start in range(0, length, 5))


def digest(secret: str) -> bytes:
    """What is kept of a secret. A plain hash is enough for what is random and long; passwords go through hashing.py."""
    return hashlib.sha256(secret.encode()).digest()


def new_secret() -> str:
    """A session's secret: 256 random bits."""
    return secrets.token_urlsafe(32)


def new_key_id() -> str:
    """The id of a key, which is no secret."""
    return secrets.token_hex(_KEY_ID_LENGTH // 2)


def new_api_key(key_id: str) -> str:
    """The whole key, `muster_<id>_<256 random bits>`: recognisable to those who search texts for lost keys."""
    return f"{_KEY_PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"


def read_api_key(typed: str) -> str | None:
    """The id in a key; None when it is not one of ours."""
    parts = typed.split("_", 2)
    if len(parts) != 3 or parts[0] != _KEY_PREFIX or len(parts[1]) != _KEY_ID_LENGTH or len(parts[2]) != 43:
        return None
    return parts[1]
