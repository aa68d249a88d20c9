"""`previewbot doctor` on the machine that runs the tests, and on made-up ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.bootstrap.doctor import checks
from bot.bootstrap.findings import Outcome
from bot.settings import Settings
from bot.target_settings import TargetKind


def doctor(tmp_path: Path, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "bot", "doctor", "--data", str(tmp_path), *words],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_check_has_an_outcome_and_what_is_lacking_a_fix(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--json")

    found = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0, done.stdout
    assert {"python", "kernel", "git", "deno", "isolation"} <= set(found)
    assert found["isolation"]["found"].startswith(("L0", "L1", "L2", "L3"))
    assert all(each["fix"] for each in found.values() if each["outcome"] != "ok")


def test_a_level_below_the_minimum_is_a_problem(tmp_path: Path) -> None:
    settings = tmp_path / "platform.toml"
    settings.write_text('highest_isolation = "L0"\nmin_isolation = "L1"\n')

    done = doctor(tmp_path, PREVIEWBOT_PLATFORM_FILE=str(settings))

    assert done.returncode == 1
    assert "PROBLEM  isolation           L0: " in done.stdout
    assert "-> below the minimum L1: see what is missing" in done.stdout


def test_every_target_is_named_and_no_token_is_shown(tmp_path: Path) -> None:
    done = doctor(
        tmp_path,
        PREVIEWBOT_TARGETS="hosted=deploy-v2, partner=subhosting-v1",
        PREVIEWBOT_TARGET_PARTNER_TOKEN="ddp_secret",
        PREVIEWBOT_TARGET_PARTNER_URL="https://api.example.dev/v1",
        PREVIEWBOT_TARGET_PARTNER_ORGANIZATION="o",
        PREVIEWBOT_TARGET_PARTNER_PREVIEWS_URL="https://*.example.dev",
        PREVIEWBOT_TARGET_HOSTED_TOKEN="ddo_secret",
        PREVIEWBOT_TARGET_HOSTED_PREVIEWS_URL="https://*.acme.deno.net",
    )

    assert "ok       target              embedded, the usual one\n" in done.stdout
    assert "hosted: deploy-v2 at https://api.deno.com/v2" in done.stdout
    assert (
        "partner: subhosting-v1 at https://api.example.dev/v1; previews there end" in done.stdout
    )
    assert "ddp_secret" not in done.stdout + done.stderr
    assert "ddo_secret" not in done.stdout + done.stderr
    assert "warning" not in done.stderr


def test_a_machine_without_git_is_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    elsewhere = Settings(
        data_dir=tmp_path,
        target=TargetKind.DEPLOY_V2,
        target_token=SecretStr("ddo_x"),
        previews_url="https://*.acme.deno.net",
    )

    found = {each.name: each for each in checks(elsewhere)}

    assert found["git"].outcome is Outcome.PROBLEM
    assert "apt-get install git" in found["git"].fix
    # Another platform runs the previews, so this one's isolation is of no interest.
    assert "isolation" not in found
