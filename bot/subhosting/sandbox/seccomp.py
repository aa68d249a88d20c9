"""The system calls that no app and no build needs, refused by a filter made here.

The filter is classic BPF, eight bytes an instruction, so no library is needed to make it. It
refuses with an error rather than killing: V8 and glibc try things and go on without.
https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Mapping

# Number of each call, x86_64 and aarch64: asm/unistd_64.h and asm-generic/unistd.h.
_REFUSED: Mapping[str, tuple[int, int]] = {
    # Namespaces and mounts: a new user namespace opens most of the kernel's rarely used code.
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # Other processes' memory and descriptors.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    # Kernel interfaces with a long record of holes, or for administrators.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "open_by_handle_at": (304, 265),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "syslog": (103, 116),
    "quotactl": (179, 60),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "personality": (135, 92),
}
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # AUDIT_ARCH_*, column
_SOCKET = (41, 198)
_CLONE = (56, 220)
_CLONE3 = (435, 435)
# A 32-bit call on x86_64 has numbers of its own; this bit marks those of the x32 ABI.
_X32_BIT = 0x40000000

# AF_UNIX, INET, INET6, NETLINK (glibc asks it for addresses); not vsock, packet, Bluetooth.
_FAMILIES = (1, 2, 10, 16)
# CLONE_NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWNS: linux/sched.h.
_NAMESPACES = 0x7E020000

# BPF_LD|W|ABS, BPF_JMP|JEQ|K, JGE, JSET, BPF_RET|K: linux/bpf_common.h.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data, little endian
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000  # SECCOMP_RET_*

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


def program(machine: str | None = None) -> bytes | None:
    """Return the filter for a machine as `uname -m` calls it, or None where we know no numbers."""
    known = _ARCHITECTURES.get(machine or platform.machine())
    if known is None:
        return None
    architecture, column = known
    refuse = _instruction(_RETURN, _ERROR | errno.EPERM)
    parts = [
        _instruction(_LOAD, _ARCH),
        _instruction(_EQUAL, architecture, 1, 0),
        refuse,
        _instruction(_LOAD, _NUMBER),
        _instruction(_AT_LEAST, _X32_BIT, 0, 1),
        refuse,
    ]
    for numbers in _REFUSED.values():
        parts += [_instruction(_EQUAL, numbers[column], 0, 1), refuse]
    # Its flags are in memory, where no filter can look; glibc takes `clone` if it is missing.
    parts += [
        _instruction(_EQUAL, _CLONE3[column], 0, 1),
        _instruction(_RETURN, _ERROR | errno.ENOSYS),
        _instruction(_EQUAL, _CLONE[column], 0, 4),
        _instruction(_LOAD, _FIRST_ARGUMENT),
        _instruction(_ANY_BIT, _NAMESPACES, 0, 1),
        refuse,
        _instruction(_RETURN, _ALLOW),
        _instruction(_EQUAL, _SOCKET[column], 0, 2 + len(_FAMILIES)),
        _instruction(_LOAD, _FIRST_ARGUMENT),
    ]
    for place, family in enumerate(_FAMILIES):
        parts.append(_instruction(_EQUAL, family, len(_FAMILIES) - place, 0))
    parts += [refuse, _instruction(_RETURN, _ALLOW)]
    return b"".join(parts)


def filter_thread(given: bytes) -> None:
    """Put the calling thread, and what it starts from now on, under the filter.

    Raises:
        OSError: the kernel refused; `no_new_privs` must be set before.

    """
    instructions = ctypes.create_string_buffer(given, len(given))
    # struct sock_fprog: a count, padding, a pointer.
    header = struct.pack("@HP", len(given) // 8, ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, header, 0, 0):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
