"""schemathesis at full size: many requests for every operation of both documents."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = 200


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_no_generated_request_breaks_a_promise(version: str) -> None:
    suite = "tests/conformance/test_schemathesis.py"

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--timeout=1200", suite, "-k", f"[{version}"],
        cwd=ROOT,
        env={**os.environ, "PREVIEWBOT_CONFORMANCE_EXAMPLES": str(EXAMPLES)},
        check=False,
    )

    assert ended.returncode == 0
