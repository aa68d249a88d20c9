"""What an installation makes up for itself at its first start, kept in a private file.

Standard library only: `previewbot hook` reads this inside a `git push`.
"""

import json
import os
import secrets
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from typing_extensions import override

FILE_NAME = "credentials.json"
ADDRESS_FILE_NAME = "address.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Secrets and names of one data directory; `repr` must not show them."""

    webhook_secret: str
    api_token: str
    organization: str

    @override
    def __repr__(self) -> str:
        return "Credentials(...)"


def load_or_create(data_dir: Path) -> Credentials:
    """Return the data directory's credentials, made at the first call; the file has mode 0600."""
    path = data_dir / FILE_NAME
    if not path.exists():
        fresh = Credentials(
            webhook_secret=secrets.token_hex(32),
            api_token=f"ddo_{secrets.token_urlsafe(32)}",
            organization=str(uuid.uuid4()),  # noqa: TID251 - once per installation, here alone
        )
        write_private(path, json.dumps(asdict(fresh)))
    return load(data_dir)


def load(data_dir: Path) -> Credentials:
    """Return the data directory's credentials.

    Raises:
        FileNotFoundError: `previewbot up` has never run on this directory.

    """
    return Credentials(**json.loads((data_dir / FILE_NAME).read_text()))


def write_private(path: Path, text: str) -> None:
    """Write `text` for this user only, so that a crash leaves the old file or the new one."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def write_address(data_dir: Path, webhook_url: str, webhook_secret: str | None = None) -> None:
    """Leave the receiver's address for hooks of local repositories.

    `webhook_secret` is the operator's own, if the receiver takes that instead of the one that we
    made up; the file has mode 0600.
    """
    address = {"webhook_url": webhook_url, "webhook_secret": webhook_secret}
    write_private(data_dir / ADDRESS_FILE_NAME, json.dumps(address))


def webhook_url(data_dir: Path) -> str:
    """Return the receiver's address as the running `previewbot up` left it.

    Raises:
        FileNotFoundError: `previewbot up` has never run on this directory.

    """
    url: str = _address(data_dir)["webhook_url"]
    return url


def webhook_secret(data_dir: Path) -> str:
    """Return what signs deliveries to the running `previewbot up`.

    Raises:
        FileNotFoundError: `previewbot up` has never run on this directory.

    """
    chosen: str | None = _address(data_dir).get("webhook_secret")
    return chosen or load(data_dir).webhook_secret


def _address(data_dir: Path) -> dict[str, Any]:
    address: dict[str, Any] = json.loads((data_dir / ADDRESS_FILE_NAME).read_text())
    return address
