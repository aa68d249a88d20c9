"""Reaching what listens on this machine and beside it, and listening oneself."""

from bot.subhosting.sandbox.level import Level
from tests.sandbox.attempt import NOWHERE, Attempt, section

# Loopback, in every spelling that some parser takes.
_SPELLINGS = {
    "127.0.0.1": "127.0.0.1",
    "localhost": "localhost",
    "127.1": "127.1",
    "a decimal number": "2130706433",
    "a hexadecimal number": "0x7f000001",
    "an octal number": "0177.0.0.1",
    "0.0.0.0": "0.0.0.0",  # noqa: S104 - where to, not where
    "127.0.0.2": "127.0.0.2",
    "the IPv6 ::1": "[::1]",
    "the unspecified [::]": "[::]",
    "IPv4-mapped IPv6": "[::ffff:127.0.0.1]",
    "IPv4-mapped IPv6 in hexadecimal": "[::ffff:7f00:1]",
    "localhost with a final dot": "localhost.",
    "a name below localhost": "x.localhost",
    "full-width digits": "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
}

LOOPBACK = section(
    "Loopback, spelled",
    [
        Attempt(
            name=f"fetch loopback as {words}",
            script=f"""const signal = AbortSignal.timeout(2000);
            const address = `http://{host}:${{w.tcp}}/${{id}}`;
            return await (await fetch(address, {{ signal }})).text();""",
            # A spelling that this machine's resolver does not know proves nothing.
            shown=False,
        )
        for words, host in _SPELLINGS.items()
    ],
)

_WAYS = {
    "connect with Deno.connect": """using c = await Deno.connect(
        { hostname: "127.0.0.1", port: w.tcp });
        await c.write(new TextEncoder().encode(id));""",
    "connect with node:net": """const net = await import("node:net");
        await new Promise((resolve, reject) => {
            const c = net.connect(w.tcp, "127.0.0.1", () => c.end(id, resolve));
            c.on("error", reject);
        });""",
    "ask with node:http": """const http = await import("node:http");
        await new Promise((resolve, reject) =>
            http.get(`http://127.0.0.1:${w.tcp}/${id}`, resolve).on("error", reject));""",
    "open a WebSocket": """await new Promise((resolve) => {
            const s = new WebSocket(`ws://127.0.0.1:${w.tcp}/${id}`);
            s.onopen = s.onclose = s.onerror = (event) => { event.preventDefault?.(); resolve(); };
        });""",
    "open an EventSource": """await new Promise((resolve) => {
            const s = new EventSource(`http://127.0.0.1:${w.tcp}/${id}`);
            s.onerror = () => { s.close(); resolve(); };
        });""",
    "use loopback as a proxy": """const client = Deno.createHttpClient(
        { proxy: { url: `http://127.0.0.1:${w.tcp}` } });
        await fetch("http://example.com/" + id, { client, signal: AbortSignal.timeout(2000) });""",
    "set HTTP_PROXY and fetch": """Deno.env.set("HTTP_PROXY", `http://127.0.0.1:${w.tcp}`);
        try { await fetch("http://example.com/" + id, { signal: AbortSignal.timeout(1000) }); }
        finally { Deno.env.delete("HTTP_PROXY"); }""",
    "import a module by http:": """await import(`http://127.0.0.1:${w.tcp}/${id}.ts`);""",
    "follow a redirect there": """const from = `http://${w.host ?? "127.0.0.1"}:${w.redirect}/`;
        await fetch(from + id, { signal: AbortSignal.timeout(2000) });""",
}

WAYS = section(
    "Loopback, by every way",
    [
        Attempt(name=f"{words} on loopback", script=script, shown="HTTP_PROXY" not in script)
        for words, script in _WAYS.items()
    ],
)

OTHERS = section(
    "Other addresses",
    [
        Attempt(
            name="fetch the machine's own address",
            script="""const signal = AbortSignal.timeout(2000);
            await fetch(`http://${w.host}:${w.tcp}/${id}`, { signal });""",
            shown=False,
        ),
        Attempt(
            name="fetch the machine's own IPv6 address",
            script="""const signal = AbortSignal.timeout(2000);
            await fetch(`http://[${w.host6}]:${w.tcp}/${id}`, { signal });""",
            shown=False,
        ),
        Attempt(
            name="fetch the name of this machine",
            script="""const signal = AbortSignal.timeout(2000);
            await fetch(`http://${w.name}:${w.tcp}/${id}`, { signal });""",
            shown=False,
        ),
        *(
            Attempt(
                name=f"try to connect to {words}",
                script=f"""const signal = AbortSignal.timeout(500);
                try {{ await fetch("http://{host}/", {{ signal }}); return "WON"; }}
                catch (error) {{
                    return error.name === "NotCapable" ? "refused" : "WON";
                }}""",
                build=NOWHERE,
            )
            for words, host in {
                "10.0.0.1": "10.0.0.1",
                "172.16.0.1": "172.16.0.1",
                "192.168.0.1": "192.168.0.1",
                "100.64.0.1": "100.64.0.1",
                "the cloud's metadata at 169.254.169.254": "169.254.169.254",
                "metadata in IPv4-mapped IPv6": "[::ffff:a9fe:a9fe]",
            }.items()
        ),
        *(
            Attempt(
                name=f"try to connect to {words}",
                script=f"""const late = new Promise((resolve) =>
                    setTimeout(() => resolve("WON: nobody refused"), 500));
                const there = Deno.connect({{ hostname: "{host}", port: 80 }});
                return await Promise.race([there.then(() => "WON"), late]);""",
                app=Level.L3,
                build=Level.L3,
                gap="Deno's flags take single IPv6 addresses and no ranges",
                shown=False,
            )
            for words, host in {
                "a private IPv6 address": "fd00::dead",
                "a link-local IPv6 address": "fe80::1",
            }.items()
        ),
        Attempt(
            name="send a datagram to loopback",
            script="""const dgram = await import("node:dgram");
            const s = dgram.createSocket("udp4");
            await new Promise((resolve, reject) => {
                s.on("error", reject);
                s.send(id, w.udp, "127.0.0.1", (error) => error ? reject(error) : resolve());
            });
            s.close();""",
            build=Level.L3,
            gap="Landlock knows TCP alone; datagrams to the machine's own services get through",
        ),
        Attempt(
            name="talk to the machine's hypervisor by vsock",
            script="""using c = await Deno.connect({ transport: "vsock", cid: 1, port: 9 });
            return "WON";""",
            build=NOWHERE,
        ),
    ],
)

OURS = section(
    "The platform's own doors",
    [
        Attempt(
            name="ask the control API",
            script="""const address = `http://127.0.0.1:${w.api}/readyz`;
            await fetch(address, { signal: AbortSignal.timeout(2000) });
            return "WON";""",
        ),
        Attempt(
            name="visit another app through the router",
            script="""const http = await import("node:http");
            return await new Promise((resolve, reject) => http.get(
                { host: "127.0.0.1", port: w.previews, headers: { host: w.neighbour_host } },
                (answer) => { let text = ""; answer.on("data", (part) => text += part);
                              answer.on("end", () => resolve(text)); }).on("error", reject));""",
        ),
        Attempt(
            name="talk to another app through its unix socket",
            script="""const client = Deno.createHttpClient(
                { proxy: { transport: "unix", path: w.neighbour_socket } });
            return await (await fetch("http://x/", { client })).text();""",
            build=Level.L2,
            gap="Landlock does not hold unix sockets that have a path",
        ),
        Attempt(
            name="connect to the host's control socket",
            script="""using c = await Deno.connect({ transport: "unix", path: w.control });
            return "WON";""",
            build=Level.L2,
            gap="Landlock does not hold unix sockets that have a path",
        ),
        Attempt(
            name="connect to a unix socket with node:net",
            script="""const net = await import("node:net");
            await new Promise((resolve, reject) => {
                const c = net.connect(w.unix, () => c.end(id, resolve));
                c.on("error", reject);
            });""",
            build=Level.L2,
            gap="Landlock does not hold unix sockets that have a path",
        ),
        Attempt(
            name="connect to an abstract unix socket",
            script="""const net = await import("node:net");
            await new Promise((resolve, reject) => {
                const c = net.connect("\\0" + w.abstract, () => c.end(id, resolve));
                c.on("error", reject);
            });""",
            app=Level.L1,
            gap="Deno asks for no permission for a unix socket without a path",
        ),
        Attempt(
            name="put a unix socket outside",
            script='Deno.listen({ transport: "unix", path: w.folder + "/" + id });',
        ),
    ],
)

_LISTEN = """const s = %s;
(async () => { for await (const c of s) { await c.write(new TextEncoder().encode(id)); } })();
return "PORT " + s.addr.port;"""

LISTENING = section(
    "Listening",
    [
        Attempt(
            name="listen on all addresses",
            script=_LISTEN % 'Deno.listen({ hostname: "0.0.0.0", port: 0 })',
            build=NOWHERE,
        ),
        Attempt(
            name="listen on loopback",
            script=_LISTEN % 'Deno.listen({ hostname: "127.0.0.1", port: 0 })',
            build=NOWHERE,
        ),
        Attempt(
            name="listen on all IPv6 addresses",
            script=_LISTEN % 'Deno.listen({ hostname: "::", port: 0 })',
            build=NOWHERE,
        ),
        Attempt(
            name="listen on the machine's own address",
            script=_LISTEN % "Deno.listen({ hostname: w.host, port: 0 })",
            build=NOWHERE,
        ),
        Attempt(
            name="start a second server on all addresses",
            script="""const s = Deno.serve({ port: 0, hostname: "0.0.0.0" },
                () => new Response(id));
            return "PORT " + s.addr.port;""",
            build=NOWHERE,
        ),
        Attempt(
            name="listen with node:net",
            script="""const net = await import("node:net");
            return await new Promise((resolve, reject) => {
                const s = net.createServer((c) => c.end(id));
                s.on("error", reject);
                s.listen(0, () => resolve("PORT " + s.address().port));
            });""",
            build=NOWHERE,
        ),
        Attempt(
            name="open the inspector's port",
            script="""const inspector = await import("node:inspector");
            inspector.open(0, "127.0.0.1");
            return inspector.url() && "PORT " + new URL(inspector.url()).port + " WON";""",
            build=NOWHERE,
        ),
    ],
)

NETWORK = [*LOOPBACK, *WAYS, *OTHERS, *OURS, *LISTENING]
