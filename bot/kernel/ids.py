"""Chance comes in by this door: short ids that are safe in a DNS label, a path and a URL."""

import secrets
from typing import Protocol

# Crockford's base32 in lower case, without i, l, o and u: what Deno's own deployment ids look
# like ("rn3mjpwsw24d"), so that clients which assume that shape go on working.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

# 12 characters of 5 bits: 60 bits, a collision is expected after about 10^9 ids.
ID_LENGTH = 12


class Ids(Protocol):
    """A source of new ids."""

    def new(self) -> str:
        """Return an id that was not returned before: 12 characters of `ALPHABET`."""
        ...


class RandomIds:
    """Ids from the operating system's randomness."""

    def new(self) -> str:
        """Return 12 random characters of `ALPHABET`."""
        return "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))
