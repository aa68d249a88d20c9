"""Whoever goes out by the proxy reaches the public Internet, and nothing that is ours."""

import asyncio
import base64
from datetime import timedelta
from ipaddress import ip_address

import pytest

from bot.subhosting.host.egress_route import EgressPolicy, Upstream, is_own
from bot.subhosting.trust.addresses import AddressPolicy, AllowList
from tests.fakes.subhosting.names import FakeHosts
from tests.subhosting.egress.proxied import Site, addresses, in_loop, policy, proxied, serving

LOOPBACK = ["127.0.0.1"]
OPEN = addresses("site.test", site_test=LOOPBACK)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_tunnel_carries_both_ways_and_passes_the_end_on() -> None:
    async def work() -> None:
        site = Site()
        async with serving(site.echo, site), proxied(policy(OPEN)) as proxy:
            reader, writer = await proxy.tunnel(f"site.test:{site.port}")
            writer.write(b"there and back")
            writer.write_eof()

            assert await reader.read() == b"there and back"
            counts = proxy.attached.counts
            assert (counts.connections, counts.sent, counts.received) == (1, 14, 14)
            writer.close()

    in_loop(work)


def test_a_plain_request_arrives_as_its_server_expects_it() -> None:
    async def work() -> None:
        site = Site()
        async with serving(site.answer, site), proxied(policy(OPEN)) as proxy:
            answer = await proxy.ask(
                f"GET http://site.test:{site.port}/a?b=c HTTP/1.1\r\nHost: elsewhere.test\r\n"
                "Accept: */*\r\nProxy-Connection: keep-alive\r\nConnection: keep-alive\r\n\r\n"
            )

            assert answer.endswith(b"\r\n\r\nok")
            assert site.heard == [
                f"GET /a?b=c HTTP/1.1\r\nHost: site.test:{site.port}\r\nAccept: */*\r\n"
                "Connection: close\r\n\r\n".encode()
            ]

    in_loop(work)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "224.0.0.1",
        "0.0.0.0",  # noqa: S104 - refused, not bound
        "::1",
        "fe80::1",
        "fd00:ec2::254",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001::1",
    ],
)
def test_a_name_that_leads_to_a_closed_address_is_refused_without_a_word_of_why(
    address: str,
) -> None:
    async def work() -> None:
        rules = policy(addresses(site_test=[address]))
        async with proxied(rules) as proxy:
            tunnel = await proxy.ask("CONNECT site.test:443 HTTP/1.1\r\n\r\n")
            plain = await proxy.ask("GET http://site.test/ HTTP/1.1\r\n\r\n")

            assert (status(tunnel), status(plain)) == (403, 403)
            assert address.encode() not in tunnel + plain
            assert proxy.attached.counts.refused == 2

    in_loop(work)


def test_a_public_address_of_this_machine_is_refused_too() -> None:
    async def work() -> None:
        public = ip_address("93.184.215.14")
        rules = policy(addresses(site_test=[str(public)]), is_own=lambda found: found == public)
        async with proxied(rules) as proxy:
            assert status(await proxy.ask("CONNECT site.test:443 HTTP/1.1\r\n\r\n")) == 403

    in_loop(work)


def test_only_this_machine_s_own_addresses_are_its_own() -> None:
    assert is_own(ip_address("127.0.0.1"))
    assert not is_own(ip_address("192.0.2.1"))
    assert not is_own(ip_address("2001:db8::1"))


@pytest.mark.parametrize(
    "target", ["127.0.0.1:80", "[::1]:80", "127.1:80", "2130706433:80", "0x7f.1:80", "no.test:80"]
)
def test_an_address_in_any_spelling_is_refused_like_a_name_that_nobody_knows(target: str) -> None:
    async def work() -> None:
        async with proxied(policy(addresses())) as proxy:
            answer = await proxy.ask(f"CONNECT {target} HTTP/1.1\r\n\r\n")

            assert status(answer) == 403
            assert answer.endswith(
                f"\r\n\r\n{target} is refused: the host is not known,"
                " or not on the public Internet\n".encode()
            )

    in_loop(work)


def test_a_name_is_looked_up_once_and_the_checked_address_is_the_one_connected_to() -> None:
    async def work() -> None:
        site = Site()
        names = FakeHosts({"site.test": [["127.0.0.1"], ["127.0.0.9"]]})
        rules = policy(AddressPolicy(resolver=names, allowed=AllowList.of(["127.0.0.1/32"])))
        async with serving(site.echo, site), proxied(rules) as proxy:
            _, writer = await proxy.tunnel(f"site.test:{site.port}")
            asked = list(names.asked)
            again = await proxy.ask(f"CONNECT site.test:{site.port} HTTP/1.1\r\n\r\n")

            assert asked == ["site.test"]
            assert status(again) == 403
            writer.close()

    in_loop(work)


@pytest.mark.parametrize(
    "request_text",
    [
        "GET / HTTP/1.1\r\nHost: site.test\r\n\r\n",
        "GET https://site.test/ HTTP/1.1\r\n\r\n",
        "GET ftp://site.test/ HTTP/1.1\r\n\r\n",
        "GET http://user@site.test/ HTTP/1.1\r\n\r\n",
        "GET http://site.test:99999/ HTTP/1.1\r\n\r\n",
        "GET http://[::1/ HTTP/1.1\r\n\r\n",
        "CONNECT site.test HTTP/1.1\r\n\r\n",
        "CONNECT site.test:0 HTTP/1.1\r\n\r\n",
        "CONNECT http://site.test:80 HTTP/1.1\r\n\r\n",
        "GET http://site.test/ HTTP/1.1\r\n folded: x\r\n\r\n",
        "GET http://site.test/ HTTP/1.1\r\nbad header: x\r\n\r\n",
        "GET http://site.test/ HTTP/1.1\r\na: b\nc: d\r\n\r\n",
        "GET http://site.test/ HTTP/2.0\r\n\r\n",
        "\x05\x01\x00\r\n\r\n",
    ],
)
def test_anything_else_than_a_tunnel_or_plain_http_is_a_bad_request(request_text: str) -> None:
    async def work() -> None:
        async with proxied(policy(OPEN)) as proxy:
            assert status(await proxy.ask(request_text)) == 400

    in_loop(work)


def test_a_head_without_end_is_refused_by_its_size_and_by_its_time() -> None:
    async def work() -> None:
        async with proxied(policy(OPEN), head_within=timedelta(seconds=0.2)) as proxy:
            long = await proxy.ask("GET http://site.test/ HTTP/1.1\r\na: " + "b" * 40_000)
            slow = await proxy.ask("GET http://site.test/")

            assert (status(long), slow) == (431, b"")

    in_loop(work)


def test_only_who_knows_the_password_is_served() -> None:
    def authorization(credential: str) -> str:
        encoded = base64.b64encode(credential.encode()).decode()
        return f"Proxy-Authorization: Basic {encoded}\r\n"

    async def work() -> None:
        site = Site()
        rules = policy(OPEN, credential="build:right")
        async with serving(site.answer, site), proxied(rules) as proxy:
            head = f"GET http://site.test:{site.port}/ HTTP/1.1\r\n"
            right = authorization("build:right")
            wrong = ("", authorization("build:wrong"), right * 2, "Proxy-Authorization: %%\r\n")

            assert [status(await proxy.ask(f"{head}{each}\r\n")) for each in wrong] == [407] * 4
            assert status(await proxy.ask(f"{head}{right}\r\n")) == 200
            # It is for the proxy and for nobody behind it.
            assert b"uthorization" not in site.heard[0]

    in_loop(work)


@pytest.mark.parametrize(
    ("net", "host", "expected"),
    [
        (None, "site.test", 200),
        (("*",), "site.test", 200),
        (("site.test",), "site.test", 200),
        (("SITE.test:{port}",), "site.TEST", 200),
        (("site.test:1",), "site.test", 403),
        (("other.test",), "site.test", 403),
        ((), "site.test", 403),
    ],
)
def test_a_listener_may_have_a_list_of_hosts(
    net: tuple[str, ...] | None, host: str, expected: int
) -> None:
    async def work() -> None:
        site = Site()
        async with serving(site.answer, site):
            listed = None if net is None else tuple(each.format(port=site.port) for each in net)
            async with proxied(policy(OPEN, net=listed)) as proxy:
                answer = await proxy.ask(f"GET http://{host}:{site.port}/ HTTP/1.1\r\n\r\n")

        assert status(answer) == expected

    in_loop(work)


def test_a_registry_is_open_at_its_port_alone() -> None:
    async def work() -> None:
        registry, other = Site(), Site()
        async with serving(registry.answer, registry), serving(other.answer, other):
            rules = policy(
                addresses(npm_internal=LOOPBACK),
                registries=frozenset({("npm.internal", registry.port)}),
            )
            async with proxied(rules) as proxy:
                head = "GET http://npm.internal:{} HTTP/1.1\r\n\r\n"

                assert status(await proxy.ask(head.format(registry.port))) == 200
                assert status(await proxy.ask(head.format(other.port))) == 403

    in_loop(work)


def test_what_nobody_answers_is_a_bad_gateway_and_is_said() -> None:
    said: list[str] = []

    async def work() -> None:
        site = Site()
        async with serving(site.echo, site):
            pass
        async with proxied(policy(OPEN, on_refusal=said.append)) as proxy:
            answer = await proxy.ask(f"CONNECT site.test:{site.port} HTTP/1.1\r\n\r\n")

        assert status(answer) == 502
        assert said == [f"site.test:{site.port} could not be reached"]

    in_loop(work)


def test_too_many_connections_are_turned_away_and_an_ended_one_makes_room() -> None:
    async def work() -> None:
        site = Site()
        async with serving(site.echo, site), proxied(policy(OPEN, connections=2)) as proxy:
            first = await proxy.tunnel(f"site.test:{site.port}")
            second = await proxy.tunnel(f"site.test:{site.port}")
            one_more = "CONNECT site.test:1 HTTP/1.1\r\n\r\n"
            assert status(await proxy.ask(one_more)) == 503
            assert proxy.attached.counts.crowded == 1

            first[1].write_eof()
            assert await first[0].read() == b""
            while (now := status(await proxy.ask(one_more))) == 503:
                continue  # its place is free a moment later

            assert now == 502
            second[1].close()

    in_loop(work)


def test_a_slow_reader_holds_its_server_back() -> None:
    async def work() -> None:
        wrote = 0
        stuck = asyncio.Event()

        async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal wrote
            while True:
                writer.write(b"x" * 65536)
                wrote += 65536
                try:
                    await asyncio.wait_for(asyncio.shield(writer.drain()), 0.5)
                except TimeoutError:
                    stuck.set()
                    return

        site = Site()
        async with serving(flood, site), proxied(policy(OPEN)) as proxy:
            _, writer = await proxy.tunnel(f"site.test:{site.port}")
            await stuck.wait()

            # What sockets and buffers hold, and not what a server can send for ever.
            assert wrote < 64 * 1024 * 1024
            writer.close()

    in_loop(work)


def test_a_connection_on_which_nothing_moves_ends() -> None:
    async def work() -> None:
        site = Site()
        rules = policy(OPEN)
        async with (
            serving(site.echo, site),
            proxied(rules, idle_after=timedelta(seconds=0.2)) as proxy,
        ):
            reader, writer = await proxy.tunnel(f"site.test:{site.port}")

            assert await reader.read() == b""
            writer.close()

    in_loop(work)


def test_closing_ends_the_listener_and_every_connection() -> None:
    async def work() -> None:
        site = Site()
        async with serving(site.echo, site), proxied(policy(OPEN)) as proxy:
            reader, writer = await proxy.tunnel(f"site.test:{site.port}")
            await proxy.attached.close()

            assert await reader.read() == b""
            writer.close()
            with pytest.raises(ConnectionRefusedError):
                await proxy.connect()

    in_loop(work)


UPSTREAM_HOSTS = {"http_proxy": "http://boss:secret@127.0.0.1:{port}", "no_proxy": "near.test"}


def behind(site: Site, **fields: object) -> EgressPolicy:
    variables = {name: text.format(port=site.port) for name, text in UPSTREAM_HOSTS.items()}
    variables["HTTPS_PROXY"] = variables["http_proxy"]
    known = addresses(private_test=["10.1.1.1"], public_test=["93.184.215.14"])
    return policy(known, upstream=Upstream.of(variables), **fields)


def test_behind_a_proxy_of_the_operator_requests_go_by_it_with_its_password() -> None:
    async def work() -> None:
        corporate = Site()
        async with (
            serving(corporate.answer, corporate),
            proxied(behind(corporate)) as proxy,
        ):
            _, writer = await proxy.tunnel("far.test:443")
            writer.close()
            plain = await proxy.ask("GET http://public.test/a HTTP/1.1\r\n\r\n")

            password = base64.b64encode(b"boss:secret")
            assert corporate.heard == [
                b"CONNECT far.test:443 HTTP/1.1\r\nHost: far.test:443\r\n"
                b"Proxy-Authorization: Basic " + password + b"\r\n\r\n",
                b"GET http://public.test:80/a HTTP/1.1\r\n"
                b"Proxy-Authorization: Basic " + password + b"\r\n"
                b"Host: public.test\r\nConnection: close\r\n\r\n",
            ]
            assert status(plain) == 200

    in_loop(work)


@pytest.mark.parametrize("target", ["10.1.1.1:443", "private.test:443", "near.test:443"])
def test_behind_a_proxy_of_the_operator_what_is_known_to_be_closed_stays_closed(
    target: str,
) -> None:
    async def work() -> None:
        corporate = Site()
        async with (
            serving(corporate.answer, corporate),
            proxied(behind(corporate)) as proxy,
        ):
            assert status(await proxy.ask(f"CONNECT {target} HTTP/1.1\r\n\r\n")) == 403
            assert corporate.heard == []

    in_loop(work)
