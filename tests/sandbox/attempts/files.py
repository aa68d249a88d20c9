"""Reading and writing what belongs to others."""

from dataclasses import replace

from bot.subhosting.sandbox.level import Level
from tests.sandbox.attempt import NOWHERE, Attempt, section

# Everything at rest that a process of another tenant, or of the operator, keeps on this machine.
READING = section(
    "Reading files",
    [
        Attempt(
            name="read a file of the machine with Deno.readTextFile",
            script="return await Deno.readTextFile(w.secret);",
        ),
        Attempt(
            name="read it with Deno.open and a buffer",
            script="""using file = Deno.openSync(w.secret);
            const buffer = new Uint8Array(200);
            return new TextDecoder().decode(buffer.subarray(0, file.readSync(buffer)));""",
        ),
        Attempt(
            name="read it with node:fs",
            script='return (await import("node:fs")).readFileSync(w.secret, "utf8");',
        ),
        Attempt(
            name="read it with process.getBuiltinModule",
            script='return process.getBuiltinModule("fs").readFileSync(w.secret, "utf8");',
        ),
        Attempt(
            name="read it by fetching a file: address",
            script='return await (await fetch("file://" + w.secret)).text();',
        ),
        Attempt(
            name="import a module outside by a computed file: address",
            script='return (await import("file://" + w.folder + "/module.ts")).default;',
        ),
        Attempt(
            name="import JSON outside by a computed file: address",
            script="""const address = "file://" + w.folder + "/secret.json";
            return (await import(address, { with: { type: "json" } })).default.canary;""",
        ),
        Attempt(
            name="require JSON outside with node:module",
            script="""const { createRequire } = await import("node:module");
            return createRequire(import.meta.url)(w.folder + "/secret.json").canary;""",
        ),
        Attempt(
            name="run a file outside as a web worker",
            script="""const address = "file://" + w.folder + "/worker.ts";
            const worker = new Worker(address, { type: "module" });
            return await new Promise((resolve, reject) => {
                worker.onmessage = (event) => resolve(event.data);
                worker.onerror = (event) => { event.preventDefault(); reject(event); };
            });""",
        ),
        Attempt(
            name="read it from a module of a data: address",
            script="""const code = `export default Deno.readTextFileSync("${w.secret}")`;
            return (await import("data:text/javascript," + encodeURIComponent(code))).default;""",
        ),
        Attempt(
            name="read it through Deno's internal operations",
            script="""const { ops } = Deno[Deno.internal].core;
            return ops.op_fs_read_file_text_sync(w.secret, 0);""",
            build=NOWHERE,
        ),
        Attempt(
            name="ask for the permission to read, and read",
            script="""await Deno.permissions.request({ name: "read" });
            return Deno.readTextFileSync(w.secret);""",
        ),
        Attempt(
            name="read /etc/passwd",
            script='return (await Deno.readTextFile("/etc/passwd")).includes("root:") && "WON";',
        ),
        Attempt(
            name="read a file's size and date",
            script='await Deno.stat(w.secret); return "WON";',
            build=Level.L2,
            gap="Landlock holds contents, not what is told of a file: `stat`, watching",
        ),
        Attempt(
            name="list the deployments of others",
            script="""const found = [...Deno.readDirSync(w.deployments)];
            return found.some((each) => each.name === w.neighbour) && "WON";""",
        ),
        Attempt(
            name="watch a folder outside",
            script='Deno.watchFs(w.folder).close(); return "WON";',
            build=Level.L2,
            gap="Landlock holds contents, not what is told of a file: `stat`, watching",
        ),
        Attempt(
            name="read the server's database",
            script="""return (await Deno.readTextFile(w.database)).startsWith("SQLite format")
                && "WON";""",
        ),
        Attempt(
            name="open the server's database with node:sqlite",
            script="""const { DatabaseSync } = await import("node:sqlite");
            const rows = new DatabaseSync(w.database).prepare("SELECT name FROM projects").all();
            return rows.length > 0 && "WON";""",
        ),
        Attempt(
            name="attach the server's database to one in memory",
            script="""const { DatabaseSync } = await import("node:sqlite");
            const db = new DatabaseSync(":memory:");
            db.exec(`ATTACH '${w.database}' AS other`);
            return db.prepare("SELECT name FROM other.projects").all().length > 0 && "WON";""",
        ),
        Attempt(
            name="read the stored contents of others",
            script="""const found = [];
            const walk = (folder) => {
                for (const each of Deno.readDirSync(folder)) {
                    const path = folder + "/" + each.name;
                    each.isDirectory ? walk(path) : found.push(Deno.readTextFileSync(path));
                }
            };
            walk(w.blobs);
            return found.map((text) => /canary-of[-a-z]+/.exec(text)?.[0]).join();""",
        ),
        Attempt(
            name="read another deployment's sources",
            script='return await Deno.readTextFile(w.neighbour_folder + "/src/main.ts");',
        ),
        Attempt(
            name="read another deployment's log",
            script='return await Deno.readTextFile(w.neighbour_folder + "/logs/app.log");',
        ),
        Attempt(
            name="read the KV database of another app as a file",
            script="""return (await Deno.readTextFile(w.kv)).startsWith("SQLite format")
                && "WON";""",
        ),
        Attempt(
            name="open the KV database of another app",
            script="""using kv = await Deno.openKv(w.kv);
            return (await kv.get(["secret"])).value;""",
        ),
        Attempt(
            name="read the answer out of a link of its own making",
            script="""const link = w.own + "/" + id;
            Deno.symlinkSync(w.secret, link);
            return Deno.readTextFileSync(link);""",
        ),
        Attempt(
            name="read it through a hard link of its own making",
            script="""const link = w.own + "/" + id;
            Deno.linkSync(w.secret, link);
            return Deno.readTextFileSync(link);""",
        ),
        Attempt(
            name="copy it into its own folder",
            script="""const copy = w.own + "/" + id;
            Deno.copyFileSync(w.secret, copy);
            return Deno.readTextFileSync(copy);""",
        ),
    ],
)

# The kernel asks who may look into a process: root without its privileges may not, an ordinary
# user may look into its own. What pid 1 is depends on the container around us.
PROC = [
    replace(each, shown=False)
    for each in section(
        "Through /proc",
        [
            Attempt(
                name="read the host's environment in /proc",
                script="return await Deno.readTextFile(`/proc/${w.host_pid}/environ`);",
            ),
            Attempt(
                name="read the environments of all processes",
                script="""const found = [];
            for (const each of Deno.readDirSync("/proc")) {
                if (!/^[0-9]+$/.test(each.name)) continue;
                try { found.push(Deno.readTextFileSync(`/proc/${each.name}/environ`)); }
                catch { continue; }
            }
            return found.map((text) => /canary-of[-a-z]+/.exec(text)?.[0]).join();""",
            ),
            Attempt(
                name="read a file through another process's root",
                script="return await Deno.readTextFile(`/proc/${w.victim}/root${w.secret}`);",
            ),
            Attempt(
                name="read a file through the first process's root",
                script="return await Deno.readTextFile(`/proc/1/root${w.secret}`);",
            ),
            Attempt(
                name="read a file through its own root",
                script="return await Deno.readTextFile(`/proc/self/root${w.secret}`);",
            ),
            Attempt(
                name="read a file through another process's working directory",
                script="return await Deno.readTextFile(`/proc/${w.victim}/cwd/secret.txt`);",
            ),
            Attempt(
                name="read another process's memory",
                script="""const maps = Deno.readTextFileSync(`/proc/${w.victim}/maps`);
            const [, from, to] = maps.match(/([0-9a-f]+)-([0-9a-f]+) .*\\[stack\\]/);
            using memory = Deno.openSync(`/proc/${w.victim}/mem`);
            memory.seekSync(BigInt("0x" + from), Deno.SeekMode.Start);
            const buffer = new Uint8Array(Number(BigInt("0x" + to) - BigInt("0x" + from)));
            let size = 0;
            for (let got; size < buffer.length; size += got) {
                got = memory.readSync(buffer.subarray(size));
                if (!got) break;
            }
            const text = new TextDecoder().decode(buffer.subarray(0, size));
            return /canary-of[-a-z]+/.exec(text)?.[0];""",
            ),
            Attempt(
                name="see the command lines of others",
                script="""return (await Deno.readTextFile(`/proc/${w.victim}/cmdline`)).length > 0
                && "WON";""",
            ),
        ],
    )
]

WRITING = section(
    "Writing files",
    [
        Attempt(
            name="write a file outside",
            script='await Deno.writeTextFile(w.folder + "/" + id, "x");',
        ),
        Attempt(
            name="write a file outside with node:fs",
            script='(await import("node:fs")).appendFileSync(w.folder + "/" + id, "x");',
        ),
        Attempt(name="make a folder outside", script='await Deno.mkdir(w.folder + "/" + id);'),
        Attempt(
            name="make a temporary file outside",
            script="await Deno.makeTempFile({ dir: w.folder, prefix: id });",
        ),
        Attempt(
            name="make a KV database outside",
            script='(await Deno.openKv(w.folder + "/" + id)).close();',
        ),
        Attempt(
            name="make an SQLite database outside",
            script="""const { DatabaseSync } = await import("node:sqlite");
            new DatabaseSync(w.folder + "/" + id).exec("CREATE TABLE t (c)");""",
        ),
        Attempt(
            name="vacuum a database into a file outside",
            script="""const { DatabaseSync } = await import("node:sqlite");
            new DatabaseSync(":memory:").exec(`VACUUM INTO '${w.folder}/${id}'`);""",
        ),
        Attempt(
            name="write a heap snapshot outside",
            script="""(await import("node:v8")).writeHeapSnapshot(w.folder + "/" + id);""",
        ),
        Attempt(
            name="change the mode of a file outside",
            script='await Deno.chmod(w.secret, 0o644); return "WON";',
            build=Level.L2,
            gap="Landlock does not hold changes of a file's mode and owner",
        ),
        Attempt(
            name="put a file into another deployment's folder",
            script='await Deno.writeTextFile(w.neighbour_folder + "/src/" + id, "x");',
        ),
        Attempt(
            name="put a program where every build finds it",
            script='await Deno.writeTextFile(w.tools + "/" + id, "x");',
        ),
        Attempt(
            name="change its own code while it runs",
            script='await Deno.writeTextFile(new URL("main.ts", import.meta.url), "x");'
            'return "WON";',
            build=NOWHERE,
        ),
        Attempt(
            name="remove its own code while it runs",
            script='await Deno.remove(new URL("spare.ts", import.meta.url)); return "WON";',
            build=NOWHERE,
        ),
    ],
)

FILES = [*READING, *PROC, *WRITING]
