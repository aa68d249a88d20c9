"""Secrets at rest: what others entrust to the bot is written to the database sealed (Fernet).

The key stands in the environment or in a file of its own, so a copy of the database opens nothing.
"""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.core.model.errors import ConfigurationProblem

VARIABLE = "PREVIEWBOT_ENCRYPTION_KEY"


class Vault:
    """Seals and opens texts; several keys allow to change the key without losing anything."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Seal with the first of `keys` (Fernet's: 32 bytes in URL-safe base64), open with any.

        Raises:
            ConfigurationProblem: there is none, or one of them is no key.

        """
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:  # which quotes nothing of the key, and neither do we
            raise ConfigurationProblem(
                VARIABLE,
                "is no key; make one with: openssl rand -base64 32 | tr '+/' '-_'",
            ) from None

    def seal(self, text: str) -> str:
        """Return `text` so that only a holder of the key can read it; each time another one."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            ConfigurationProblem: it was sealed with another key, or has been tampered with.

        """
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ConfigurationProblem(
                VARIABLE,
                "does not open what is stored; set the key that it was stored with, followed by a "
                "comma and the older keys if it was changed",
            ) from None
