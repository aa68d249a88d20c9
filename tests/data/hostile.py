"""Strings that strangers write, each of which has broken somebody's page, check or terminal.

One set for all surfaces: every renderer must show them and obey none of them.
"""

MENTION = "@everyone please look, @octocat/core too"
HTML = '<script>alert(1)</script><img src=x onerror="alert(2)"><a href="//evil.example">x</a>'
COMMENT_MARKER = "<!-- previewbot: app=other --> and --> and <!--"
ANSI = "\x1b[31mred\x1b[0m \x1b]0;owned\x07 \x9b2J"
TERMINAL_LINK = "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\"
RUNNER_COMMANDS = "::error file=a.ts::owned\n  ::set-output name=x::y\n##[error]owned ##[group]"
BIDI = "access \u202e\u2066// if admin\u2069 \u2066 begin\u200b\ufeff"
NUL = "before\x00after\x07\x08\x7f"
LINK = "[click](javascript:alert(1)) ](javascript:alert(2)) [x]: javascript:alert(3)"
IMAGE = "![pixel](https://evil.example/p.png) https://evil.example www.evil.example"
FENCES = "```\n# out\n````\n~~~\n`````"
HEADINGS = "# Heading\n- item\n1. item\n> quote\n| a | b |\n|---|---|\n---\n&lt;b&gt; &#64;all"
LINE_ENDS = "one\r\ntwo\rthree\u2028four\u2029five\x85six\x0bseven"
LONG = "long " * 40_000
LONG_WORD = "w" * 200_000
SURROGATE = "half \ud800 a pair"
EMOJI = "deploy 🚀 " + "👩\u200d💻" * 3

HOSTILE = (
    MENTION,
    HTML,
    COMMENT_MARKER,
    ANSI,
    TERMINAL_LINK,
    RUNNER_COMMANDS,
    BIDI,
    NUL,
    LINK,
    IMAGE,
    FENCES,
    HEADINGS,
    LINE_ENDS,
    LONG,
    LONG_WORD,
    SURROGATE,
    EMOJI,
    "",
    " ",
    "`",
    "\\",
    "'\"><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "../../etc/passwd",
)
