"""The command line and environment of a deployment."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from bot.subhosting.sandbox.argv import (
    Sandbox,
    install_argv,
    install_environment,
    run_argv,
    run_environment,
)

SANDBOX = Sandbox(
    deno=Path("/bin/deno"),
    source=Path("/d,ata/src"),
    cache=Path("/d,ata/cache"),
    entry_point="lib/main.ts",
    socket=Path("/run/s"),
    heap_mib=128,
    env_vars={"OWN": "value", "HOME": "/theirs", "DENO_DIR": "/theirs", "SECRET": "hush"},
)

DENIED = (
    "127.0.0.0/8,0.0.0.0/8,[::1],[::],localhost,"
    "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,100.64.0.0/10,"
    "168.63.129.16/32,192.0.0.0/24"
)


def test_the_whole_command_line() -> None:
    assert run_argv(SANDBOX) == [
        "/bin/deno",
        "run",
        "--quiet",
        "--no-prompt",
        "--cached-only",
        "--no-lock",
        "--unstable-kv",
        "--unstable-cron",
        "--deny-import",
        "--allow-env",
        "--allow-read=/d,,ata/src,/d,,ata/cache/npm,/run/s",
        "--allow-write=/run/s",
        "--allow-net",
        f"--deny-net={DENIED}",
        "--v8-flags=--max-old-space-size=128",
        "/d,ata/src/lib/main.ts",
    ]


def test_hosts_files_and_a_database_that_v1_names() -> None:
    sandbox = replace(
        SANDBOX,
        net=("a.example", "[::1]"),
        kv_file=Path("/kv/one.sqlite"),
        import_map=Path("/o/map.json"),
        lock=Path("/o/deno.lock"),
    )

    command, environment = run_argv(sandbox), run_environment(sandbox)

    assert "--allow-net=unix:/run/s,a.example,[::1]" in command
    assert "--allow-read=/d,,ata/src,/d,,ata/cache/npm,/run/s,/kv/one.sqlite" in command
    assert "--allow-write=/run/s,/kv/one.sqlite" in command
    assert {"--import-map=/o/map.json", "--lock=/o/deno.lock"} <= {*command}
    assert "--no-lock" not in command
    assert {"--import-map=/o/map.json", "--lock=/o/deno.lock"} <= {*install_argv(sandbox)}
    assert environment["DENO_KV_DEFAULT_PATH"] == "/kv/one.sqlite"


@pytest.mark.parametrize(
    ("net", "flag"),
    [(None, "--allow-net"), (("*",), "--allow-net"), ((), "--allow-net=unix:/run/s")],
)
def test_an_empty_list_of_hosts_leaves_the_socket(net: tuple[str, ...] | None, flag: str) -> None:
    assert flag in run_argv(replace(SANDBOX, net=net))


def test_without_a_database_deno_is_told_to_say_so() -> None:
    environment = run_environment(SANDBOX)

    assert environment["DENO_KV_REQUIRES_DISTRIBUTED_DATABASE"] == "error"
    assert "DENO_KV_DEFAULT_PATH" not in environment


def test_no_lock_file_at_all() -> None:
    assert "--no-lock" in install_argv(replace(SANDBOX, without_lock=True))


def test_the_platform_s_names_win_and_the_app_s_stay() -> None:
    environment = run_environment(SANDBOX)

    assert environment["DENO_DIR"] == "/d,ata/cache"
    assert (environment["HOME"], environment["OWN"]) == ("/theirs", "value")


def test_the_installer_sees_none_of_the_app_s_variables() -> None:
    environment = install_environment(SANDBOX, {"NPM_CONFIG_REGISTRY": "http://r/"})

    assert "hush" not in str(environment)
    assert environment["NPM_CONFIG_REGISTRY"] == "http://r/"
    assert install_argv(SANDBOX)[1:3] == ["install", "--allow-import"]


def test_an_entry_point_elsewhere_is_named_by_its_url() -> None:
    url = "https://example.com/main.ts"
    sandbox = replace(SANDBOX, entry_point=url, import_map="https://example.com/map.json")

    for command in (run_argv(sandbox), install_argv(sandbox)):
        assert command[-1] == url
        assert "--import-map=https://example.com/map.json" in command


def test_in_a_network_of_its_own_loopback_is_the_app_s_but_for_what_deno_connects_to() -> None:
    sandbox = replace(SANDBOX, proxy_port=3128, loopback_ports=(4318, 3128))
    listed = replace(sandbox, net=("example.com",))

    denied = DENIED.replace("127.0.0.0/8,0.0.0.0/8,[::1],[::],localhost", "127.0.0.1:4318")
    assert f"--deny-net={denied}" in run_argv(sandbox)
    assert run_environment(sandbox)["DENO_SERVE_ADDRESS"] == "duplicate,unix:/run/s"
    assert "--allow-net=unix:/run/s,127.0.0.1:3128,example.com" in run_argv(listed)
    assert run_environment(listed)["DENO_SERVE_ADDRESS"] == "unix:/run/s"


def test_a_shared_database_opens_one_address_and_port() -> None:
    sandbox = replace(SANDBOX, net=("a.example",), kv_server=("127.75.86.1", 4711))
    command = run_argv(sandbox)
    denied = next(each for each in command if each.startswith("--deny-net=")).partition("=")[2]
    networks = [IPv4Network(each) for each in denied.split(",") if each[0].isdecimal()]

    assert "--allow-net=unix:/run/s,127.75.86.1:4711,a.example" in command
    assert run_environment(sandbox)["DENO_KV_DEFAULT_PATH"] == "http://127.75.86.1:4711/"
    for address in ("127.0.0.1", "127.75.86.0", "127.75.86.2", "127.255.255.255", "0.0.0.0"):  # noqa: S104
        assert any(IPv4Address(address) in network for network in networks)
    assert not any(IPv4Address("127.75.86.1") in network for network in networks)
    assert "[::1],[::],localhost" in denied


def test_in_a_network_of_its_own_a_shared_database_is_the_only_port() -> None:
    sandbox = replace(
        SANDBOX, kv_server=("127.0.0.1", 4711), loopback_ports=(4711, 4318), proxy_port=3128
    )
    denied = next(each for each in run_argv(sandbox) if each.startswith("--deny-net="))

    assert denied.startswith("--deny-net=127.0.0.1:4318,10.0.0.0/8")
