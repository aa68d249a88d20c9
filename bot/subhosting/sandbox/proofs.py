"""What an isolation layer must have refused to count as there, in pure functions."""

from collections.abc import Collection
from dataclasses import dataclass

from bot.subhosting.sandbox.level import Level, Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A layer: the attempts that it must have refused, and what to do where it did not."""

    layer: str
    refused: frozenset[str]
    fix: str
    # Whether the level counts as reached without it.
    required: bool = True


# At every level; what they hold is in docs/security.md, and needs no proof on this machine.
OF_L0 = ("deno-permissions", "resource-limits")

_FILES = frozenset({"read", "passwd", "write", "execute"})
_PORTS = frozenset({"connect", "listen"})
_NEWER_KERNEL = "run a kernel of version {} or newer, with landlock among its security modules"

OF_L1 = (
    Proof(layer="landlock-files", refused=_FILES, fix=_NEWER_KERNEL.format("5.13")),
    Proof(
        layer="no-new-privileges",
        refused=frozenset({"privileges"}),
        fix="run a kernel that has prctl's PR_SET_NO_NEW_PRIVS",
    ),
    Proof(layer="landlock-ports", refused=_PORTS, fix=_NEWER_KERNEL.format("6.7"), required=False),
    Proof(
        layer="landlock-signals",
        refused=frozenset({"signal"}),
        fix=_NEWER_KERNEL.format("6.12"),
        required=False,
    ),
    Proof(
        layer="seccomp",
        refused=frozenset({"namespaces"}),
        fix="run a kernel with CONFIG_SECCOMP_FILTER on x86_64 or aarch64",
        required=False,
    ),
)

OF_L2 = (
    Proof(layer="own-file-tree", refused=_FILES, fix="let bubblewrap make mount namespaces"),
    Proof(
        layer="own-processes",
        refused=frozenset({"processes", "signal"}),
        fix="let bubblewrap make process namespaces",
    ),
    Proof(
        layer="seccomp",
        refused=frozenset({"namespaces", "privileges"}),
        fix="run a kernel with CONFIG_SECCOMP_FILTER on x86_64 or aarch64",
    ),
    Proof(
        layer="landlock-ports", refused=_PORTS, fix=_NEWER_KERNEL.format("6.12"), required=False
    ),
    Proof(
        layer="own-user",
        refused=frozenset({"uid"}),
        fix="run previewbot as root, which alone can give each app a user id of its own",
        required=False,
    ),
)

# All of L2 but the rules about ports, which a network of its own makes needless.
OF_L3 = (
    *(proof for proof in OF_L2 if proof.layer != "landlock-ports"),
    Proof(
        layer="own-network",
        refused=frozenset({"connect", "outside", "proxied"}),
        fix="let bubblewrap make network namespaces",
    ),
)

# Beside the levels: whether memory, processes and processor time are counted for a whole child.
GROUPS = (
    Proof(
        layer="control-groups",
        refused=frozenset({"memory"}),
        fix="mount the memory controller of cgroup v2 or v1 and let previewbot make groups in it",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Which layers of a level hold, what is missing, and whether the level is reached."""

    level: Level
    reached: bool
    layers: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()


def verdict(level: Level, proofs: Collection[Proof], refused: Collection[str]) -> Verdict:
    """Return what the refused attempts prove."""
    held = [proof for proof in proofs if proof.refused <= set(refused)]
    open_ones = [proof for proof in proofs if proof not in held]
    return Verdict(
        level=level,
        reached=not any(proof.required for proof in open_ones),
        layers=tuple(proof.layer for proof in held),
        missing=tuple(
            Missing(
                layer=proof.layer,
                reason=f"not refused: {', '.join(sorted(proof.refused - set(refused)))}",
                fix=proof.fix,
            )
            for proof in open_ones
        ),
    )


def impossible(level: Level, reason: str, fix: str, *, layer: str | None = None) -> Verdict:
    """Return that a level, or one layer, could not even be tried."""
    return Verdict(
        level=level,
        reached=False,
        missing=(Missing(layer=layer or level.name, reason=reason, fix=fix),),
    )
