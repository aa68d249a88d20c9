"""Which files of the system a child needs: loader, libraries, name resolution, certificates."""

from pathlib import Path

# What programs are loaded from. Nothing in it is anybody's secret.
LIBRARIES = tuple(
    Path(each) for each in ("/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64")
)

# The loader is executed by the kernel on behalf of every dynamically linked program.
LOADERS = tuple(
    Path(each)
    for each in (
        "/lib64/ld-linux-x86-64.so.2",
        "/lib/ld-linux-aarch64.so.1",
        "/lib/ld-musl-x86_64.so.1",
        "/lib/ld-musl-aarch64.so.1",
    )
)

# For builds alone. Debian's awk and some others are links by way of the last one.
PROGRAMS = tuple(Path(each) for each in ("/usr", "/bin", "/sbin", "/etc/alternatives"))

# Each is a mount of its own at L2 (0.2 ms). Deno has its own certificates and time zones.
SETTINGS = tuple(
    Path(each)
    for each in (
        "/etc/ld.so.cache",
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/localtime",
        "/etc/ssl",
        "/etc/pki/tls",
    )
)

READABLE_DEVICES = (Path("/dev/zero"), Path("/dev/random"), Path("/dev/urandom"))
WRITABLE_DEVICES = (Path("/dev/null"),)
