"""Reading what a repository says about itself."""

from typing import Protocol

from bot.core.model.config import ConfigFile, DenoFile


class ConfigReader(Protocol):
    """Somebody who understands configuration files.

    No method raises, whatever the content: strangers write it.
    """

    def read(self, path: str, content: bytes) -> ConfigFile:
        """Return what a `.github/previewbot.yml` says, or what is wrong with it and where."""
        ...

    def read_deno(self, path: str, content: bytes) -> DenoFile:
        """Return what the `deploy` key of a deno.json says.

        A file that cannot be read says nothing and gets a warning: Deno has the last word on it.
        A `deploy` key with wrong values is a failure, as it would be for Deno Deploy.
        """
        ...
