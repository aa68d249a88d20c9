"""What the pages and the receiver need of the world, handed in by bootstrap."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.kernel.clock import Clock
from bot.ports.inbox import Inbox
from bot.ports.store import Store

# The secrets that may have signed a delivery about this repository. The name comes from a body
# that nobody has verified yet, and is None where the body names none.
SecretsFor = Callable[[str | None], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServices:
    """The frozen bundle that `create_app` receives."""

    inbox: Inbox
    store: Store
    clock: Clock
    secrets_for: SecretsFor = field(repr=False)
    admin_token: str | None = field(repr=False)  # None: everybody who gets here may read
    ready: Callable[[], Mapping[str, str]]  # problems by name; empty when ready
