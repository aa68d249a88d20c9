"""Other processes, native code, and the kernel below."""

from bot.subhosting.sandbox.level import Level
from tests.sandbox.attempt import NOWHERE, Attempt, Language, section

PROCESSES = section(
    "Processes and privileges",
    [
        Attempt(
            name="run a shell with Deno.Command",
            script="""const c = new Deno.Command("/bin/sh", { args: ["-c", `cat ${w.secret}`] });
            return new TextDecoder().decode(c.outputSync().stdout);""",
        ),
        Attempt(
            name="run a shell with child_process",
            script="""const { execSync } = await import("node:child_process");
            return execSync(`cat ${w.secret}`).toString();""",
        ),
        Attempt(
            name="run a second Deno with all permissions",
            script="""const { spawnSync } = await import("node:child_process");
            const code = `console.log(Deno.readTextFileSync("${w.secret}"))`;
            return String(spawnSync(Deno.execPath(), ["eval", code]).stdout);""",
        ),
        Attempt(
            name="start a web worker with more permissions",
            script="""const code = `postMessage(Deno.readTextFileSync("${w.secret}"))`;
            const worker = new Worker("data:text/javascript," + encodeURIComponent(code),
                { type: "module", deno: { permissions: { read: true } } });
            return await new Promise((resolve, reject) => {
                worker.onmessage = (event) => resolve(event.data);
                worker.onerror = (event) => { event.preventDefault(); reject(event); };
            });""",
        ),
        Attempt(
            name="read it in a worker thread of node",
            script="""const { Worker: Thread } = await import("node:worker_threads");
            const code = `const { parentPort } = require("node:worker_threads");
                parentPort.postMessage(require("node:fs").readFileSync("${w.secret}", "utf8"));`;
            const thread = new Thread(code, { eval: true });
            return await new Promise((resolve, reject) => {
                thread.on("message", resolve); thread.on("error", reject);
            });""",
        ),
        Attempt(
            name="load a library with Deno.dlopen",
            script="""const libc = Deno.dlopen("libc.so.6",
                { getppid: { parameters: [], result: "i32" } });
            return libc.symbols.getppid() >= 0 && "WON";""",
            build=NOWHERE,
        ),
        Attempt(
            name="load a library with process.dlopen",
            script="""const { createRequire } = await import("node:module");
            try { process.dlopen({ exports: {} }, w.folder + "/addon.node"); return "WON"; }
            catch (error) {
                return String(error.message).includes("file too short") ? "WON" : String(error);
            }""",
            build=NOWHERE,
        ),
        Attempt(
            name="send a signal to another process",
            script='Deno.kill(w.victim, "SIGCONT"); return "WON";',
        ),
        Attempt(
            name="send a signal to the host with process.kill",
            script='process.kill(w.host_pid, "SIGCONT"); return "WON";',
        ),
        Attempt(
            name="lower the priority of another process",
            script="""const os = await import("node:os");
            os.setPriority(w.victim, 19); return "WON";""",
            build=Level.L2,
            gap="Landlock's signal scope does not hold priorities",
            shown=False,
        ),
        Attempt(
            name="become root with process.setuid",
            script='process.setuid(0); process.setgid(0); return "WON";',
            build=NOWHERE,
        ),
        Attempt(
            name="find the operator's variables in Deno.env",
            script="return JSON.stringify(Deno.env.toObject());",
            build=Level.L0,
        ),
        Attempt(
            name="find the operator's variables in process.env",
            script="return JSON.stringify({ ...process.env });",
            build=Level.L0,
        ),
        Attempt(
            name="learn the machine's name",
            script='return Deno.hostname() === w.name && "WON";',
            build=Level.L2,
            gap="a name is the kernel's to give until there is a namespace for it",
        ),
        Attempt(
            name="learn the machine's addresses",
            script="""return JSON.stringify(Deno.networkInterfaces()).includes(w.host)
                && "WON";""",
            build=Level.L3,
            gap="without a network of its own a build sees the machine's",
            shown=False,
        ),
    ],
)

# `libc(name, parameters...)`: one function of the C library, called with numbers and buffers.
_LIBC = """const libc = (name, ...values) => {
    const kinds = values.map((v) => typeof v === "object" ? "buffer" : "i64");
    const whole = values.map((v) => typeof v === "object" ? v : BigInt(v));
    const known = { [name]: { parameters: kinds, result: "i64" } };
    return Number(BigInt.asIntN(32, Deno.dlopen("libc.so.6", known).symbols[name](...whole)));
};
const buffer = (size) => new Uint8Array(size);
"""

_CALLS = {
    "attach to another process with ptrace": (
        """if (libc("ptrace", 16, w.victim, 0, 0) !== 0) return "refused";
        libc("ptrace", 17, w.victim, 0, 0);
        Deno.kill(w.victim, "SIGCONT");
        return "WON";""",
        Level.L1,
    ),
    "read another process's memory with process_vm_readv": (
        """const maps = Deno.readTextFileSync(`/proc/${w.victim}/maps`);
        const at = BigInt("0x" + maps.slice(0, maps.indexOf("-")));
        const into = buffer(64);
        const pointer = Deno.UnsafePointer.value(Deno.UnsafePointer.of(into));
        const here = new BigUint64Array([BigInt(pointer), 64n]);
        const there = new BigUint64Array([at, 64n]);
        return libc("process_vm_readv", w.victim, here, 1, there, 1, 0) > 0 && "WON";""",
        Level.L1,
    ),
    "take a descriptor of another process": (
        """const pid = libc("syscall", 434, w.victim, 0);
        return pid >= 0 && libc("syscall", 438, pid, 0, 0) >= 0 && "WON";""",
        Level.L1,
    ),
    "open a raw socket": ('return libc("socket", 2, 3, 1) >= 0 && "WON";', Level.L2),
    "open a packet socket": ('return libc("socket", 17, 3, 768) >= 0 && "WON";', Level.L1),
    "open a vsock socket": ('return libc("socket", 40, 1, 0) >= 0 && "WON";', Level.L1),
    "use io_uring, which no filter sees": (
        'return libc("syscall", 425, 4, buffer(256)) >= 0 && "WON";',
        Level.L1,
    ),
    "make a BPF map": (
        """const map = new Uint32Array(32); map.set([1, 4, 4, 1]);
        return libc("syscall", 321, 0, new Uint8Array(map.buffer), 128) >= 0 && "WON";""",
        Level.L1,
    ),
    "count events of the whole machine": (
        """const event = new Uint32Array(32); event.set([1, 128]);
        return libc("syscall", 298, new Uint8Array(event.buffer), -1, 0, -1, 0) >= 0 && "WON";""",
        Level.L1,
    ),
    "read the session's keyring": (
        'return libc("syscall", 250, 0, -3, 1) > 0 && "WON";',
        Level.L1,
    ),
    "read the kernel's log": (
        'return libc("klogctl", 3, buffer(4096), 4096) > 0 && "WON";',
        Level.L1,
    ),
    "handle page faults itself": ('return libc("syscall", 323, 1) >= 0 && "WON";', Level.L1),
    "enter another process's mount namespace": (
        """const fd = libc("open", new TextEncoder().encode("/proc/1/ns/net\\0"), 0);
        return fd >= 0 && libc("setns", fd, 0) === 0 && "WON";""",
        Level.L1,
    ),
    "type into the terminal that started it": (
        """const fd = libc("open", new TextEncoder().encode("/dev/tty\\0"), 2);
        return fd >= 0 && libc("ioctl", fd, 0x5412, buffer(1)) === 0 && "WON";""",
        Level.L0,
    ),
    "open the machine's memory": (
        """const fd = libc("open", new TextEncoder().encode("/dev/mem\\0"), 0);
        return fd >= 0 && "WON";""",
        Level.L1,
    ),
}

KERNEL = section(
    "Native code against the kernel",
    [
        Attempt(
            name=name,
            script=_LIBC + script,
            build=held,
            # Kernel, container and user decide whether these exist at all.
            shown=False,
        )
        for name, (script, held) in _CALLS.items()
    ],
)

SHELL = section(
    "A build's own programs",
    [
        Attempt(name="cat a file of the machine", script="cat $secret", build=Level.L1),
        Attempt(
            name="read the passwords' hashes",
            script="grep -q ^root: /etc/shadow && echo WON",
            shown=False,
        ),
        Attempt(
            name="search the database for secrets",
            script="grep -a -o canary[-a-z]* $database",
            shown=False,
        ),
        Attempt(
            name="search all environments",
            script="cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep SECRET_OF | sort -u",
            shown=False,
        ),
        Attempt(name="write outside from a shell", script="echo x > $folder/$id"),
        Attempt(
            name="leave a file in another deployment",
            script="echo x > $neighbour_folder/src/$id",
        ),
        Attempt(
            name="send a signal from a shell",
            script="kill -CONT $victim && echo WON",
        ),
        Attempt(
            name="mount a file system",
            script="mkdir -p $own/m && mount -t tmpfs none $own/m && umount $own/m && echo WON",
            shown=False,
        ),
        Attempt(
            name="make a user namespace",
            script="unshare --user --map-root-user true && echo WON",
            shown=False,
        ),
        Attempt(
            name="make a mount namespace",
            script="unshare --mount true && echo WON",
            shown=False,
        ),
        Attempt(
            name="enter the first process's namespaces",
            script="nsenter --target 1 --mount cat $secret",
            shown=False,
        ),
        Attempt(
            name="change the root directory",
            script="chroot / true && echo WON",
            shown=False,
        ),
        Attempt(
            name="make a device node for the first disk",
            script="mknod $own/disk b 8 0 && echo WON",
            build=Level.L1,
            shown=False,
        ),
        Attempt(
            name="survive the build as a daemon",
            script="setsid sleep $nap > /dev/null 2>&1 < /dev/null &",
            build=Level.L0,
        ),
        Attempt(
            name="survive as a daemon without an environment",
            script="env -i setsid sleep 1$nap > /dev/null 2>&1 < /dev/null &",
            build=Level.L2,
            gap="who clears its environment is found only by ending a process namespace",
            shown=False,
        ),
        Attempt(
            name="write a file beyond the limit",
            script="dd if=/dev/zero of=$own/big bs=1M seek=2100 count=1 && echo WON",
            build=Level.L0,
        ),
        Attempt(
            name="leave a link for the app to follow",
            script="ln -s $secret left-link",
            build=Level.L0,
        ),
        Attempt(
            name="leave a link to a folder for the app to follow",
            script="ln -s $folder left-folder",
            build=Level.L0,
        ),
        Attempt(
            name="leave a hard link for the app to read",
            script="ln $secret left-hard",
            build=Level.L1,
            gap="a second name of a file cannot be told from a file",
            shown=False,
        ),
    ],
)
SHELL = [
    Attempt(
        name=each.name,
        script=each.script,
        section=each.section,
        language=Language.SHELL,
        app=NOWHERE,
        build=each.build,
        gap=each.gap,
        shown=each.shown,
    )
    for each in SHELL
]

ALL = [*PROCESSES, *KERNEL, *SHELL]
