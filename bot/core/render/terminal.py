"""Text of strangers on its way to a terminal, a log or a runner: letters only, no commands."""

import re

# ECMA-48: control sequences (CSI), strings (OSC, DCS, SOS, PM, APC; cut at the line's end when
# nobody closes them), and the two-byte escapes; both in 7-bit and in 8-bit spelling.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]).*?(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]",
    re.MULTILINE,
)

# Line ends of any other kind become spaces: a reader that knows them would see a second line.
_ODD_LINE_ENDS = re.compile("[\v\f\x1c-\x1e\x85\u2028\u2029]")

# Control characters; bidirectional overrides, which show text in another order than it runs
# (https://trojansource.codes); invisible characters and tags. Joiners (U+200C, U+200D) stay, for
# Persian and for emoji.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")

# What the Actions runner obeys: `::name` at the start of a line, `##[name` anywhere.
# https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
_COMMAND_AT_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_COMMAND_ANYWHERE = re.compile(r"##(?=vso\[|\[)", re.IGNORECASE)


def visible(text: str) -> str:
    """Return `text` without escape sequences, control and invisible characters.

    Newlines and tabs stay, other line ends become newlines or spaces, lone surrogates U+FFFD.
    """
    text = _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _UNSEEN.sub("", _ODD_LINE_ENDS.sub(" ", text))
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)


def printable(text: str) -> str:
    """Return `text` fit for a terminal or a runner's log: `visible`, and no runner's command."""
    text = _COMMAND_ANYWHERE.sub("# #", visible(text))
    return _COMMAND_AT_START.sub(r"\1: ", text)


def printable_line(text: str) -> str:
    """Return `printable` text on one line."""
    return printable(" ".join(visible(text).split()))
