"""Codes, credentials and PINs: how they are made, and the hashes that are stored of them."""

from __future__ import annotations

import secrets
from hashlib import sha256
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, O, 1 and I, which people mistake for each other."""
_CODE_LENGTH = 8
_CREDENTIAL_BYTES = 32
# OWASP's second choice for Argon2id (19 MiB, 2 passes): some 30 ms of one core.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def new_code() -> str:
    """Return a code for a person to type: eight letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))


def normal_code(code: str) -> str:
    """Return a code as it was made, however it was typed."""
    return "".join(code.split()).replace("-", "").upper()


def new_secret() -> str:
    """Return the secret part of a credential."""
    return secrets.token_urlsafe(_CREDENTIAL_BYTES)


def credential_of(device_id: str, secret: str) -> str:
    """Return a credential that says whose it is."""
    return f"{device_id}.{secret}"


def digest(secret: str) -> str:
    """Return what is stored of a code or a credential: both are too random to be guessed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_obvious(pin: str) -> bool:
    """Return whether a PIN is among the first that anyone tries: 0000, 1234, 4321 and the like."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    return steps in ({0}, {1}, {9})


def hash_pin(pin: str) -> str:
    """Return what is stored of a PIN. Takes tens of milliseconds, on purpose."""
    return _HASHER.hash(pin)


def is_pin(pin: str, stored: str) -> bool:
    """Return whether this is the PIN. Takes as long as `hash_pin`."""
    try:
        return _HASHER.verify(stored, pin)
    except VerificationError:
        return False
