"""How a process of Deno ended, told from its code: pure, and in words that follow "the app"."""

import signal

# V8 traps when its heap is full; a shell in between adds 128. Measured with Deno 2.9.8: a full
# heap ends by SIGTRAP, whichever isolate it belongs to.
_HEAP_FULL = (-signal.SIGTRAP, 128 + signal.SIGTRAP)
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)


def ending_of(code: int, heap_mib: int) -> str:
    """Return in words what the exit code says; a negative code is the signal that ended it."""
    if code in _HEAP_FULL:
        return f"ran out of memory: V8's heap may have {heap_mib} MB (code {code})"
    if code in _KILLED:
        return f"was killed, by the machine's memory limit or by hand (code {code})"
    if code < 0:
        return f"was ended by signal {-code}"
    return f"ended with code {code}"
