"""New UUIDs, tokens and project names, all from the operating system's randomness."""

import hashlib
import secrets
import uuid

# What Deno issues to organizations; its npm SDK refuses others without an organization.
TOKEN_PREFIX = "ddo_"  # noqa: S105 - a prefix, not a token

_ADJECTIVES = """
brave calm clever cold curious eager fast fond gentle glad happy keen kind large late lazy light
lucky mild neat nice proud quick quiet rapid rare rich sad shy silent slow small smart soft strong
sunny sweet tall tame tidy tiny vast warm wild wise young
"""
_ANIMALS = """
ant badger bat bear bee bison cat cow crab crane crow deer dingo dog dove duck eagle eel elk
falcon ferret finch fish fox frog goat goose hare hawk heron horse ibex jay koala lark lion lynx
mole moose moth mouse newt otter owl panda puma quail rabbit raven rhino robin seal shark sheep
skunk snail swan tiger toad trout turtle viper vole wasp whale wolf wren yak zebra
"""


def new_uuid() -> str:
    """Return a random UUID (version 4) in its usual form."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def new_token() -> str:
    """Return a fresh access token: 160 random bits behind `TOKEN_PREFIX`."""
    return TOKEN_PREFIX + secrets.token_hex(20)


def token_hash(token: str) -> str:
    """Return what is stored in a token's place: its SHA-256.

    A token has 160 random bits, so nothing slower is needed; and looking a hash up takes no time
    that depends on how much of a guessed token was right.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def new_project_name() -> str:
    """Return a name such as `sad-rhino-75`, the shape of Deno's own random names."""
    adjective = secrets.choice(_ADJECTIVES.split())
    animal = secrets.choice(_ANIMALS.split())
    return f"{adjective}-{animal}-{secrets.randbelow(900) + 100}"
