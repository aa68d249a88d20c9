"""Child processes that never outlive their parent and never inherit its environment."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(parent_pid: int, sent: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to send `sent` to this process when its parent's starting thread ends.

    Call it first thing in a long-lived child, with the parent's pid as the child was told it: a
    parent that died before the call is noticed by comparing. Linux only; on other systems the
    caller's life-line (standard input closed by the parent's end) does the work.
    Source: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(sent), 0, 0, 0)
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), sent)


def built_environment(**extra: str) -> dict[str, str]:
    """Return an environment made from nothing but the search path, a locale and `extra`.

    Children get this and never a copy of ours, so that no secret of the operator's shell reaches
    git, Deno or a repository's code.
    """
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **extra}
