"""Settings -> the vault: its key from the environment, else from a file of this installation."""

import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

from bot.adapters.storage.vault import Vault
from bot.settings import Settings

FILE_NAME = "encryption.key"


def vault_from(settings: Settings) -> Vault:
    """Return the vault of an installation; its key file is made when it is first needed.

    Raises:
        ConfigurationProblem: the setting or the file holds no key.

    """
    given = settings.encryption_key
    text = given.get_secret_value() if given is not None else _kept(settings.data_dir)
    return Vault([key.strip() for key in text.split(",") if key.strip()])


def _kept(data_dir: Path) -> str:
    """Return the key in the data directory; of several that make one at once, one wins."""
    path = data_dir.expanduser() / FILE_NAME
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        pass
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)  # unlike a rename it never replaces another one's key
    except FileExistsError:
        pass
    finally:
        Path(fresh).unlink()
    return path.read_text(encoding="ascii")
