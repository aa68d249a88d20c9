"""The addresses of this machine, which lead to our own ports like loopback does."""

import re
from ipaddress import IPv6Address
from pathlib import Path

_PROC_NET = Path("/proc/net")

# A leaf of the routing table's tree and, below it, that it is the machine's own: proc_net(5).
_OWN_IPV4 = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")


def own_addresses(proc_net: Path = _PROC_NET) -> tuple[str, ...]:
    """Return the machine's addresses as Deno's permissions spell them, without loopback.

    Link-local IPv6 ones are left out: nobody can name them without an interface. Empty where the
    kernel does not tell, as on macOS. It takes 0.1 ms.
    """
    ipv4 = _OWN_IPV4.findall(_text(proc_net / "fib_trie"))
    lines = _text(proc_net / "if_inet6").splitlines()
    ipv6 = [IPv6Address(int(line.split()[0], 16)) for line in lines]
    found = [each for each in ipv4 if not each.startswith("127.")]
    found += [f"[{each}]" for each in ipv6 if not each.is_loopback and not each.is_link_local]
    return tuple(dict.fromkeys(found))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
