"""Taking more than one's share. Each runs in an app of its own: it may not survive."""

from dataclasses import replace

from tests.sandbox.attempt import NOWHERE, Attempt, section

# The limits of the server that these run on; the attempts ask for more.
LIMITS = {
    "heap_mib": 96,
    "beside_heap_bytes": 160 << 20,
    "hang_after": 3,
    "open_files": 512,
    "file_bytes": 8 << 20,
    "stored_bytes": 24 << 20,
    "log_bytes_per_s": 200_000,
    "log_file_bytes": 1 << 20,
}

_WAIT = "const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));\n"

RESOURCES = [
    replace(each, alone=True, build=NOWHERE, script=_WAIT + each.script)
    for each in section(
        "More than its share",
        [
            Attempt(
                name="hold 600 MB in buffers",
                script="""const held = [];
                while (held.length < 75) {
                    held.push(new Uint8Array(8 << 20).fill(1)); await wait(10);
                }
                await wait(600);
                return "WON " + held.length;""",
            ),
            Attempt(
                name="hold 600 MB in one shared buffer",
                script="""const held = new Uint8Array(new SharedArrayBuffer(600 << 20));
                for (let i = 0; i < held.length; i += 1 << 20) {
                    held.fill(1, i, i + (1 << 20)); await wait(1);
                }
                await wait(600);
                return "WON " + held.length;""",
            ),
            Attempt(
                name="hold 600 MB in WebAssembly",
                script="""const memory = new WebAssembly.Memory({ initial: 1, maximum: 10000 });
                while (memory.buffer.byteLength < 600 << 20) {
                    const before = memory.buffer.byteLength;
                    memory.grow(128);
                    new Uint8Array(memory.buffer, before).fill(1);
                    await wait(10);
                }
                await wait(600);
                return "WON " + memory.buffer.byteLength;""",
            ),
            Attempt(
                name="hold 400 MB of objects",
                script="""const held = [];
                while (held.length < 50) { held.push(new Array(1_000_000).fill({})); }
                return "WON " + held.length;""",
            ),
            Attempt(
                name="start a hundred workers",
                script="""const address = "data:text/javascript,setInterval(() => {}, 1000)";
                const held = [];
                while (held.length < 100) {
                    held.push(new Worker(address, { type: "module" })); await wait(20);
                }
                await wait(600);
                return "WON " + held.length;""",
            ),
            Attempt(
                name="block the event loop for ever",
                script="for (;;) { Math.random(); }",
            ),
            Attempt(
                name="block it with promises that never end",
                script="for (;;) { await null; }",
            ),
            Attempt(
                name="block it with a regular expression",
                script='return /^(a+)+$/.test("a".repeat(60) + "b") + " WON";',
            ),
            Attempt(
                name="keep the processor busy in a worker",
                script="""const worker = new Worker("data:text/javascript,for(;;);",
                    { type: "module" });
                await wait(100);
                worker.terminate();
                return "slow for nobody";""",
            ),
            Attempt(
                name="open 2,000 files",
                script="""const held = [];
                while (held.length < 2000) {
                    held.push(Deno.openSync(new URL("main.ts", import.meta.url)));
                }
                return "WON " + held.length;""",
            ),
            Attempt(
                name="fill the disk with one file of the Cache API",
                script="""const cache = await caches.open("big");
                const body = new Response(new Uint8Array(32 << 20));
                await cache.put("http://x/" + id, body);
                const back = await cache.match("http://x/" + id);
                return back && (await back.arrayBuffer()).byteLength >= 32 << 20 && "WON";""",
            ),
            Attempt(
                name="fill the disk with many files of the Cache API",
                script="""const cache = await caches.open("many");
                for (let i = 0; i < 60; i++) {
                    await cache.put("http://x/" + i, new Response(new Uint8Array(1 << 20)));
                }
                await wait(5000);
                return await cache.match("http://x/1") && "WON";""",
            ),
            Attempt(
                name="fill the disk through localStorage",
                script="""for (let i = 0; i < 64; i++) {
                    localStorage.setItem("k" + i, "x".repeat(1 << 20));
                }
                return "WON";""",
            ),
            Attempt(
                name="fill the disk with log lines",
                script="""const line = "x".repeat(999);
                for (let i = 0; i < 20_000; i++) console.log(line);
                return "LOGGED";""",
            ),
        ],
    )
]
