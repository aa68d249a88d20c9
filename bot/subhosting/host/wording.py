"""What happens to a deployment, in words for people who see neither our folders nor our codes."""

from datetime import datetime, timedelta

from bot.subhosting.config import SOURCE_URL, RetentionLimits, SubhostingConfig
from bot.subhosting.host.instance import Exited, NeverServed, Unwanted
from bot.subhosting.sandbox.argv import Sandbox


def shown_paths(sandbox: Sandbox) -> dict[str, str]:
    """Return what to show in logs instead of our folders: the address that clients know."""
    return {
        f"{sandbox.source.as_uri()}/": SOURCE_URL,
        f"{sandbox.source}/": SOURCE_URL.removeprefix("file://"),
    }


def days(span: timedelta) -> str:
    """Return a span as people say it."""
    number = span / timedelta(days=1)
    return f"{number:g} day{'' if number == 1 else 's'}"


def said_of_disabled(since: datetime, limits: RetentionLimits) -> str:
    """Return in a sentence why a revision that nobody visited does not serve."""
    until = since + limits.delete_after
    return (
        f"the revision was disabled on {since:%Y-%m-%d}, after {days(limits.disable_after)}"
        f" without visitors, and is deleted on {until:%Y-%m-%d}; its owner can enable it again by"
        " setting its retention"
    )


def said_of(boot: Exited | NeverServed | Unwanted, config: SubhostingConfig) -> str:
    """Return in a sentence why an instance does not serve."""
    match boot:
        case Unwanted(reason=reason):
            return reason
        case NeverServed():
            seconds = config.warm_up.total_seconds()
            return f"it did not answer HTTP within {seconds:g} s of its start and was stopped"
        case Exited(code=0):
            return "no HTTP server started: the entry point ran to its end and exited"
        case Exited(code=code, ending=ending) if code < 0:
            return f"it {ending} before it served"
        case Exited(code=code):
            return f"it exited before serving, with code {code}"
