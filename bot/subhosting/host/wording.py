"""What happens to a deployment, in words for people who see neither our folders nor our codes."""

from bot.subhosting.config import SOURCE_URL, SubhostingConfig
from bot.subhosting.host.instance import Exited, NeverServed, Unwanted
from bot.subhosting.sandbox.argv import Sandbox


def shown_paths(sandbox: Sandbox) -> dict[str, str]:
    """Return what to show in logs instead of our folders: the address that clients know."""
    return {
        f"{sandbox.source.as_uri()}/": SOURCE_URL,
        f"{sandbox.source}/": SOURCE_URL.removeprefix("file://"),
    }


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
