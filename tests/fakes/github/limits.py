"""What GitHub refuses although its schema allows it: limits that stand only in its prose."""

from typing import Any
from urllib.parse import urlsplit

from tests.fakes.github.refusals import Invalid

# https://docs.github.com/en/rest/commits/statuses and issue threads named in the bot's docs:
# longer ones are answered 422, for commit and for deployment statuses.
MAX_DESCRIPTION = 140

# "There is a limit of 1000 statuses per sha and context within a repository."
MAX_STATUSES = 1000

# Of a comment, by the answer to longer ones.
MAX_COMMENT = 65_536

# https://docs.github.com/en/rest/checks/runs: title 255 characters, message and raw details 64 KB.
MAX_ANNOTATION_TITLE = 255
MAX_ANNOTATION_BYTES = 64 * 1024


def check_run(body: dict[str, Any], *, present_conclusion: str | None = None) -> None:
    """Refuse a check-run write that contradicts itself."""
    conclusion = body.get("conclusion") or present_conclusion
    _refuse(
        'No subschema in "anyOf" matched. Missing required key: conclusion.',
        when=body.get("status") == "completed" and conclusion is None,
    )
    _refuse(
        "conclusion is required when completed_at is given.",
        when="completed_at" in body and conclusion is None,
    )
    _refuse(
        "Only GitHub may conclude a check run as stale.", when=body.get("conclusion") == "stale"
    )
    _refuse(
        "Only GitHub Actions may set this status.",
        when=body.get("status") in {"waiting", "requested", "pending"},
    )
    _refuse("name may not be empty.", when=not body.get("name", "-"))
    web_address(body.get("details_url"), "details_url")
    if (output := body.get("output")) is not None:
        _output(output)


def _output(output: dict[str, Any]) -> None:
    _refuse(
        "output needs both title and summary.",
        when=not output.get("title") or "summary" not in output,
    )
    for note in output.get("annotations", []):
        _annotation(note)


def _annotation(note: dict[str, Any]) -> None:
    _refuse(
        "annotation lines count from 1 and do not end before they start.",
        when=note["start_line"] < 1 or note["end_line"] < note["start_line"],
    )
    columns = "start_column" in note or "end_column" in note
    _refuse(
        "columns are allowed only within one line.",
        when=columns and note["start_line"] != note["end_line"],
    )
    _refuse(
        "annotation columns count from 1.",
        when=columns and min(note.get("start_column", 1), note.get("end_column", 1)) < 1,
    )
    _refuse(
        "annotation title is too long (maximum is 255 characters).",
        when=len(note.get("title", "")) > MAX_ANNOTATION_TITLE,
    )
    _refuse(
        "annotation path and message may not be empty.",
        when=not note["message"] or not note["path"],
    )
    for text in (note["message"], note.get("raw_details", "")):
        _refuse(
            "annotation text is too long (maximum is 64 KB).",
            when=len(text.encode()) > MAX_ANNOTATION_BYTES,
        )


def comment(body: str) -> None:
    """Refuse a comment that is empty or above the limit."""
    _refuse("Body cannot be blank", when=not body.strip())
    _refuse(
        f"body is too long (maximum is {MAX_COMMENT} characters)", when=len(body) > MAX_COMMENT
    )


def description(text: str | None) -> None:
    """Refuse a description above the limit."""
    _refuse(
        f"description is too long (maximum is {MAX_DESCRIPTION} characters)",
        when=text is not None and len(text) > MAX_DESCRIPTION,
    )


def web_address(url: str | None, field: str) -> None:
    """Refuse anything but a full http or https address."""
    if url:
        parts = urlsplit(url)
        _refuse(
            f"{field} must use http(s) scheme",
            when=parts.scheme not in {"http", "https"} or not parts.netloc,
        )


def _refuse(rule: str, *, when: bool) -> None:
    if when:
        raise Invalid(rule)
