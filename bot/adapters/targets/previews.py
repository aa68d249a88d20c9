"""The hosts under which a platform serves previews: one label below one configured base."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.core.model.errors import ConfigurationProblem
from bot.core.model.ids import HostLabel

SETTING = "PREVIEWBOT_PREVIEWS_URL"

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewHosts:
    """`scheme://*.base:port`."""

    scheme: str
    base: str
    port: int

    @classmethod
    def parse(cls, previews_url: str) -> "PreviewHosts":
        """Read "http://*.localhost:8081" or "https://*.example.dev".

        Raises:
            ConfigurationProblem: it is not of that form.

        """
        form = f"must look like https://*.example.dev, not {previews_url!r}"
        try:
            parts = urlsplit(previews_url)
            port = parts.port or _DEFAULT_PORTS[parts.scheme]
        except (ValueError, KeyError) as error:
            raise ConfigurationProblem(SETTING, form) from error
        star, _, base = (parts.hostname or "").partition(".")
        rest = parts.path.strip("/") or parts.query or parts.fragment or parts.username
        if star != "*" or not _HOST.fullmatch(base) or rest:
            raise ConfigurationProblem(SETTING, form)
        return cls(scheme=parts.scheme, base=base, port=port)

    def host(self, label: HostLabel) -> str:
        """Return the host name of a label, without the port."""
        return f"{label}.{self.base}"

    def authority(self, label: HostLabel) -> str:
        """Return the host name with its port, where that is not the scheme's own."""
        return self.url(label).removeprefix(f"{self.scheme}://")

    def url(self, label: HostLabel) -> str:
        """Return the public URL of a label."""
        return self.url_of(self.host(label))

    def url_of(self, host: str) -> str:
        """Return the public URL of a host with a domain of its own."""
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    def label_of(self, url: str) -> HostLabel | None:
        """Return the label that `url` is about, None when it is none of ours."""
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        except ValueError:
            return None
        label, _, base = (parts.hostname or "").partition(".")
        ours = (parts.scheme, base, port) == (self.scheme, self.base, self.port)
        return HostLabel(label) if ours and _LABEL.fullmatch(label) else None

    def has(self, host: str) -> bool:
        """Tell whether `host` is one label below the base."""
        return host.partition(".")[2] == self.base

    @property
    def is_local(self) -> bool:
        """Tell whether the base is `localhost`, which Python does not resolve below."""
        return self.base == "localhost" or self.base.endswith(".localhost")
