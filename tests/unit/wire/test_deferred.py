"""Models of platforms are many, and each process uses a few of them."""

import json
import subprocess
import sys

import pytest

# Prints which models of a module were built by importing it.
BUILT = """
import importlib, json, sys
from pydantic import BaseModel
module = importlib.import_module(sys.argv[1])
own = [v for v in vars(module).values() if getattr(v, "__module__", "") == module.__name__]
models = [each for each in own if isinstance(each, type) and issubclass(each, BaseModel)]
built = [each.__name__ for each in models if each.__pydantic_complete__]
print(json.dumps({"models": len(models), "built": built}))
"""


@pytest.mark.parametrize(
    "name", ["deploy_v2", "deploy_v2_revisions", "subhosting_v1", "subhosting_v1_databases"]
)
def test_they_are_built_when_they_are_first_used(name: str) -> None:
    command = [sys.executable, "-c", BUILT, f"bot.wire.{name}"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    found = json.loads(done.stdout)
    assert found["models"] > 0
    assert found["built"] == []
