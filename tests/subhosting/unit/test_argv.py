"""The command line and environment of a deployment."""

from pathlib import Path

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
    "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,100.64.0.0/10,0.0.0.0/8,"
    "[::1],localhost"
)


def test_the_whole_command_line() -> None:
    assert run_argv(SANDBOX, ("setpriv", "--")) == [
        "setpriv",
        "--",
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


def test_the_platform_s_names_win_and_the_app_s_stay() -> None:
    environment = run_environment(SANDBOX)

    assert environment["DENO_DIR"] == "/d,ata/cache"
    assert (environment["HOME"], environment["OWN"]) == ("/theirs", "value")


def test_the_installer_sees_none_of_the_app_s_variables() -> None:
    environment = install_environment(SANDBOX, {"NPM_CONFIG_REGISTRY": "http://r/"})

    assert "hush" not in str(environment)
    assert environment["NPM_CONFIG_REGISTRY"] == "http://r/"
    assert install_argv(SANDBOX)[1:3] == ["install", "--entrypoint"]
