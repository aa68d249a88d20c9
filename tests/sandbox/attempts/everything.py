"""Every attempt, in the order of the table."""

from tests.sandbox.attempts.assets import ASSETS
from tests.sandbox.attempts.files import FILES
from tests.sandbox.attempts.network import NETWORK
from tests.sandbox.attempts.processes import ALL
from tests.sandbox.attempts.resources import RESOURCES

ATTEMPTS = (*FILES, *ASSETS, *NETWORK, *ALL, *RESOURCES)
