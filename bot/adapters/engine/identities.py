"""What web and worker must agree on: names, versions and identities of durable work."""

from pathlib import Path

from bot.core.model.ids import DeliveryKey
from bot.kernel.runtime_dir import runtime_directory
from bot.ports.inbox import QueuedDeployment

APPLICATION = "previewbot"

# Pinned for good. DBOS's default is a hash of the workflows' source and of its own version; after
# an upgrade it would leave everything queued before stranded (docs/adr/0001). A change
# of the steps is guarded with `DBOS.patch` instead.
APPLICATION_VERSION = "1"

# SQLite mode has one worker, which finds its own work again under this name after a crash. Two
# processes of one name run the same step twice, hence `lock.py`; and several workers over
# PostgreSQL have names that begin so: `presence.py`.
EXECUTOR = "worker"

INTAKE = "intake"  # names of both the workflow and its queue
DEPLOY = "deploy"
SETUP = "setup"


def intake_id(key: DeliveryKey, tries: int = 0) -> str:
    """Return the identity of a delivery's intake, after `tries` that failed."""
    first = f"delivery/{key.hook}/{key.guid}"  # neither has a slash: see `webhooks.delivery`
    return f"{first}/{tries}" if tries else first


def deploy_id(queued: QueuedDeployment) -> str:
    """Return the identity of an attempt's deployment."""
    return f"deploy/{queued.preview}/{queued.generation}"


def bell_path(data_dir: Path) -> Path:
    """Return the socket on which the worker of `data_dir` is woken."""
    return runtime_directory(data_dir) / "wake.sock"
