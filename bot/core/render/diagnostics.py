"""Complaints of Deno and of bundlers on standard error -> annotations at a file and a line.

The shapes are those of Deno 2.9.8, Vite 6.3 and Rollup 4.68 with NO_COLOR=1; `tests/unit/render`
holds recordings, `tests/integration/deno` and `soak` have the programs themselves complain.
"""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from bot.core.model.outcomes import Annotation, LogLine
from bot.core.render.terminal import visible

# Where an app's files may stand on the machine that ran it: Deno's platform says file:///src/,
# the embedded server has a folder per deployment that ends so.
ROOT = re.compile(r"/src/")

# GitHub takes any number in batches of 50, but nobody reads more than this.
MAX_ANNOTATIONS = 50
# GitHub's limit for a message is 64 KB; one with more than a few lines is not read either.
MAX_MESSAGE_CHARS = 4_000

# A runaway line (minified code, say) is no diagnostic, and costs time to look at.
_MAX_LINE_CHARS = 4_000

_HEAD = re.compile(r"(?:(TS\d+) \[ERROR\]|error): (.*)")
_AT = re.compile(r" {4}at (?:async )?(?:.{0,500}?\()?file://(/\S+?):(\d+):(\d+)\)?$")
_HINT = re.compile(r"\s+hint: (.*)")
_BUNDLER = re.compile(r"(/\S+?):(\d+):(\d+): ERROR: (.*)")
# Vite says this line, then what is wrong, then where, as far as it knows.
_BUILD_ERROR = re.compile(r"error during build:\s*$")
_BUNDLER_FILE = re.compile(r"file: (/.{1,1000}?)(?::(\d+):(\d+))?(?: \(.*\))?$")
_BUNDLER_FROM = re.compile(r"\bfrom \"(/[^\"]+)\"")
# Who says it, and where once more: the annotation shows both better.
_BUNDLER_PREFIX = re.compile(r"(?:\[[\w:.-]{1,80}\]:? )?(?:\S{1,500} \(\d+:\d+\): )?")
_CONFIG = re.compile(r"Failed \w+ config file '?file://(/[^'\s]+)'?")
_CONFIG_PLACE = re.compile(r"\bon line (\d+) column (\d+)")
_SUMMARY = re.compile(r"Type checking failed|Found \d+ errors?")
_FILE_URL = re.compile(r"file://(/[^\s\"']+)")
_ABSOLUTE_PATH = re.compile(r"(?<![\w:/])(/[^\s\"']+)")
# Other people's code, wherever it lies.
_PACKAGES = "node_modules/"


@dataclass(slots=True)
class _Open:
    """A complaint whose place was not read yet."""

    words: list[str] = field(default_factory=list)
    config: str | None = None  # the path of the configuration file it is about
    bundler: bool = False


def diagnose(
    log: Iterable[LogLine],
    *,
    paths: Container[str] | None = None,
    root: re.Pattern[str] = ROOT,
) -> tuple[Annotation, ...]:
    """Return what the build log says about places in the app, in its order, each once.

    Only places inside the app count: below a match of `root`, and among `paths` (those of the
    manifest) where these are given. A stack gives one annotation, at its first such place.
    """
    reader = _Reader(paths=paths, root=root)
    for entry in log:
        for text in visible(entry.message).split("\n"):
            reader.feed(text[:_MAX_LINE_CHARS])
    return tuple(dict.fromkeys(reader.found))[:MAX_ANNOTATIONS]


class _Reader:
    """Reads lines in order and remembers the complaint that is open."""

    def __init__(self, *, paths: Container[str] | None, root: re.Pattern[str]) -> None:
        self.found: list[Annotation] = []
        self._paths = paths
        self._root = root
        self._open: _Open | None = None

    def feed(self, text: str) -> None:
        """Read one line."""
        if head := _HEAD.match(text):
            self._begin(code=head[1], message=head[2])
        elif _BUILD_ERROR.match(text):
            self._open = _Open(bundler=True)
        elif bundler := _BUNDLER.match(text):
            self._open = _Open(words=[bundler[4]])
            self._place(path=bundler[1], line=bundler[2], column=bundler[3])
        elif self._open is not None:
            self._go_on(self._open, text)

    def _begin(self, *, code: str | None, message: str) -> None:
        if _SUMMARY.match(message):
            self._open = None
            return
        config = _CONFIG.match(message)
        self._open = _Open(
            words=[f"{code}: {message}" if code else message],
            config=config[1] if config else None,
        )

    def _go_on(self, complaint: _Open, text: str) -> None:
        if at := _AT.match(text):
            self._place(path=at[1], line=at[2], column=at[3])
        elif complaint.bundler:
            self._go_on_bundling(complaint, text)
        elif hint := _HINT.match(text):
            complaint.words.append(f"hint: {hint[1]}")
        elif complaint.config is not None and (place := _CONFIG_PLACE.search(text)):
            complaint.words.append(text.strip())
            self._place(path=complaint.config, line=place[1], column=place[2])

    def _go_on_bundling(self, complaint: _Open, text: str) -> None:
        if not complaint.words:
            if text.strip():
                complaint.words.append(_BUNDLER_PREFIX.sub("", text, count=1).strip())
                if source := _BUNDLER_FROM.search(text):
                    self._place(path=source[1], line="1", column="1")
        elif file := _BUNDLER_FILE.match(text):
            self._place(path=file[1], line=file[2] or "1", column=file[3] or "1")

    def _place(self, *, path: str, line: str, column: str) -> None:
        """Close the complaint here, unless this is no place of the app's."""
        inside = self._inside(path)
        if inside is None or self._open is None or int(line) < 1:
            return
        message = _FILE_URL.sub(self._shown, "\n".join(self._open.words))
        if self._open.bundler:
            message = _ABSOLUTE_PATH.sub(self._shown, message)
        self.found.append(
            Annotation(
                path=inside,
                line=int(line),
                column=max(1, int(column)),
                message=message[:MAX_MESSAGE_CHARS],
            )
        )
        self._open = None

    def _inside(self, path: str) -> str | None:
        plain = unquote(path)  # Deno writes URLs: "a b.ts" is "a%20b.ts"
        candidates = [plain[match.end() :] for match in self._root.finditer(plain)]
        if self._paths is None:
            return next((found for found in candidates if found and _PACKAGES not in plain), None)
        return next((found for found in candidates if found in self._paths), None)

    def _shown(self, url: re.Match[str]) -> str:
        """Name a file as its author does, not where it happened to lie."""
        inside = self._inside(url[1])
        if inside is None and (match := self._root.search(url[1])):
            inside = unquote(url[1][match.end() :])  # a file that is missing is among no paths
        return inside or url[0]
