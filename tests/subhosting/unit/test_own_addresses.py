"""The machine's own addresses, read from what its kernel tells."""

from dataclasses import replace
from pathlib import Path

from bot.subhosting.sandbox.argv import Sandbox, run_argv
from bot.subhosting.sandbox.own_addresses import own_addresses

TREE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.1
              /32 host LOCAL
     +-- 198.51.100.0/24 2 0 2
           |-- 198.51.100.0
              /24 link UNICAST
           |-- 198.51.100.7
              /32 host LOCAL
        |-- 198.51.100.255
           /32 link BROADCAST
Local:
           |-- 198.51.100.7
              /32 host LOCAL
"""
SIX = """20010db8000000000000000000000007 04 40 00 82     eth0
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
"""


def test_own_addresses_are_those_that_lead_back_to_us(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(TREE)
    (tmp_path / "if_inet6").write_text(SIX)

    assert own_addresses(tmp_path) == ("198.51.100.7", "[2001:db8::7]")


def test_a_kernel_that_does_not_tell_has_none(tmp_path: Path) -> None:
    assert own_addresses(tmp_path) == ()


def test_an_app_may_not_reach_them() -> None:
    sandbox = Sandbox(
        deno=Path("/deno"),
        source=Path("/src"),
        cache=Path("/cache"),
        entry_point="main.ts",
        socket=Path("/s"),
        heap_mib=128,
    )

    words = run_argv(replace(sandbox, own_addresses=("198.51.100.7", "[2001:db8::7]")))

    [denied] = [word for word in words if word.startswith("--deny-net=")]
    assert denied.endswith(",198.51.100.7,[2001:db8::7]")
