"""Links that the repository holds lead to what it holds: elsewhere a clone has nothing there."""

import subprocess
from pathlib import Path

import pytest

from tests.house.machine import ROOT

LINK = "120000"


def links_out_of(repository: Path) -> list[str]:
    """Return each tracked link that is absolute or climbs out, with its target."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(repository), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    found = []
    for line in filter(None, git("ls-files", "-z", "--stage").split("\0")):
        facts, _, path = line.partition("\t")
        mode, blob, _stage = facts.split(" ")
        if mode == LINK:
            target = git("cat-file", "blob", blob)
            # By its words: what stands on this disk says nothing about a clone.
            place = (repository / path).parent
            levels = len(place.relative_to(repository).parts)
            if Path(target).is_absolute() or _climbs(target, levels):
                found.append(f"{path} -> {target}")
    return found


def _climbs(target: str, levels: int) -> bool:
    for part in Path(target).parts:
        levels += -1 if part == ".." else 1
        if levels < 0:
            return True
    return False


def test_no_tracked_link_leads_out_of_the_repository() -> None:
    assert links_out_of(ROOT) == []


@pytest.mark.parametrize(
    ("target", "is_told"),
    [
        ("/home/somebody/node_modules", True),
        ("../../elsewhere", True),
        ("../b/../../elsewhere", True),
        ("../b/file", False),
        ("file", False),
    ],
)
def test_such_a_link_would_be_told(tmp_path: Path, target: str, *, is_told: bool) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link").symlink_to(target)
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)

    assert links_out_of(tmp_path) == ([f"a/link -> {target}"] if is_told else [])
