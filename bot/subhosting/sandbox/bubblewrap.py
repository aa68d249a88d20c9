"""From a view to bubblewrap's command line: a file tree, processes and names of the child's own.

Paths keep their names inside, so that a command line, an environment and what caches remember of
paths are the same at every level. https://github.com/containers/bubblewrap
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.subhosting.sandbox import system_files
from bot.subhosting.sandbox.view import Network, View

_PRIVATE = Path("/tmp")  # noqa: S108 - a file system of the child's own is mounted there


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubblewrap:
    """How bubblewrap is used on this machine."""

    program: Path
    # Changes to the child's own user id inside; None where we are not root.
    setpriv: Path | None = None
    # Whether even those that may go outside get a network of their own.
    own_network: bool = False

    def argv(self, argv: Sequence[str], view: View, uid: int | None) -> tuple[str, ...]:
        """Return the command line that runs `argv` in `view`, as `uid` if there is one.

        It needs a umask that lets `uid` read, and its descriptors: see `with_descriptors`.
        """
        own_uid = self.setpriv is not None and uid is not None
        return (
            str(self.program),
            *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
            *(("--unshare-net",) if self.own_network or view.network is Network.NONE else ()),
            *("--die-with-parent", "--new-session", "--hostname", "app"),
            *(_ROOTS_CAPABILITIES if own_uid else ("--unshare-user", "--cap-drop", "ALL")),
            *("--proc", "/proc", "--dev", "/dev"),
            *("--perms", "1777", "--size", str(view.limits.temporary_bytes)),
            *("--tmpfs", str(_PRIVATE)),
            *_tree(view, (self.setpriv,) if own_uid and self.setpriv is not None else ()),
            *("--remount-ro", "/dev", "--remount-ro", "/"),
            "--",
            *(_changed_user(self.setpriv, uid) if own_uid else ()),
            *argv,
        )


# Just what changing the user takes; `setpriv` drops them before it starts the program.
_ROOTS_CAPABILITIES = (
    *("--cap-drop", "ALL"),
    *("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"),
)


def with_descriptors(
    argv: Sequence[str], *, told: int, held: int, filter_from: int | None
) -> list[str]:
    """Return a command line of `Bubblewrap.argv` that uses inherited descriptors.

    The child's pid is written to `told`; then the child waits for a byte from `held` before it
    starts the program. The seccomp filter is read from `filter_from`.
    """
    filtered = () if filter_from is None else ("--seccomp", str(filter_from))
    return [argv[0], "--info-fd", str(told), "--block-fd", str(held), *filtered, *argv[1:]]


def _changed_user(setpriv: Path | None, uid: int | None) -> tuple[str, ...]:
    return (
        str(setpriv),
        *("--reuid", str(uid), "--regid", str(uid), "--clear-groups"),
        *("--inh-caps=-all", "--bounding-set=-all", "--"),
    )


def _tree(view: View, programs: Iterable[Path]) -> list[str]:
    """Return the options that make the file tree, parents before what is mounted in them."""
    system = system_files.PROGRAMS if view.system_programs else ()
    read_only = (*system, *system_files.LIBRARIES, *system_files.SETTINGS)
    given = (*programs, *view.executables, *view.readable, *view.sockets)
    mounts = {path: _read_only(path) for path in (*read_only, *given)}
    mounts |= {path: ("--bind", str(path), str(path)) for path in view.writable}
    options: list[str] = []
    bound: set[Path] = set()
    made = {Path("/"), _PRIVATE}
    for path in sorted(mounts, key=lambda each: len(each.parts)):
        is_inside = not bound.isdisjoint(path.parents)
        if is_inside and path in read_only:
            continue  # a part of what is there already
        if not is_inside:
            options += _folders(path, made)
        options += mounts[path]
        if mounts[path][0] != "--symlink":
            bound.add(path)
    return options


def _read_only(path: Path) -> tuple[str, ...]:
    if path.is_symlink() and path.parent == Path("/"):
        return ("--symlink", str(path.readlink()), str(path))  # /lib -> usr/lib
    return ("--ro-bind-try", str(path), str(path))


def _folders(path: Path, made: set[Path]) -> list[str]:
    """Return the options for the folders above `path`, which bubblewrap would make for root."""
    missing = [folder for folder in reversed(path.parents) if folder not in made]
    made.update(missing)
    return [word for folder in missing for word in ("--perms", "0755", "--dir", str(folder))]
