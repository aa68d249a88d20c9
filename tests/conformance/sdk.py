"""Other people's SDKs as processes: their environments, and the line that we speak with them."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DRIVERS = Path(__file__).parent / "drivers"

# In the virtual environment, so that removing it removes these too.
ENVIRONMENTS = Path(sys.prefix)

STAMP = ".requirements-sha256"


class RefusedError(AssertionError):
    """The SDK raised: `status`, and all that the driver said of it in `facts`."""

    def __init__(self, call: str, facts: dict[str, Any]) -> None:
        super().__init__(f"{call}: {facts}")
        self.status: int | None = facts["status"]
        self.facts = facts


class Sdk:
    """A running driver."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def offers(self) -> list[str]:
        names: list[str] = self._ask({"offers": True})["ok"]
        return names

    def call(
        self, name: str, /, *args: object, take: int = 0, pages: int = 1, **kwargs: object
    ) -> Any:  # noqa: ANN401 - JSON is anything
        """Return what the SDK gives back.

        Raises:
            RefusedError: the SDK raised an error of its own.

        """
        asked = {"call": name, "args": args, "kwargs": kwargs, "take": take, "pages": pages}
        answer = self._ask(asked)
        if "error" in answer:
            raise RefusedError(name, answer["error"])
        return answer["ok"]

    def _ask(self, line: Mapping[str, object]) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(line) + "\n")
        process.stdin.flush()
        answer: dict[str, Any] = json.loads(process.stdout.readline())
        return answer


@contextmanager
def running(python: Path, driver: str, *args: str, **variables: str) -> Iterator[Sdk]:
    """Run a driver until the block ends."""
    process = subprocess.Popen(
        [python, DRIVERS / driver, *args],
        env={"PATH": os.environ["PATH"], **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Sdk(process)
        finally:
            process.kill()


def environment(name: str) -> Path:
    """Return the Python of `conformance-<name>`, made from its lock unless it is there already.

    `scripts/setup --dev` makes it, so that tests need no network.
    """
    lock = ROOT / "requirements" / f"conformance-{name}.txt"
    folder = ENVIRONMENTS / f"conformance-{name}"
    python = folder / "bin" / "python"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = folder / STAMP
    if not stamp.exists() or stamp.read_text() != wanted:
        run = [sys.executable, "-m", "venv", "--clear", str(folder)]
        subprocess.run(run, check=True, stdout=sys.stderr)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        install = [*pip, "--no-input", "--require-hashes", "--requirement", str(lock)]
        subprocess.run(install, check=True, stdout=sys.stderr)
        stamp.write_text(wanted)
    return python


if __name__ == "__main__":
    environment(sys.argv[1])
