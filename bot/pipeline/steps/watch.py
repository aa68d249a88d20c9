"""Watch the target's build until it is decided, given up or out of time."""

from datetime import timedelta

from bot.core.model.outcomes import Failed, TimedOut
from bot.core.model.preview import Stage
from bot.pipeline.attempt import Attempt, Ended
from bot.pipeline.patience import patiently
from bot.pipeline.steps.upload import Uploaded
from bot.ports.target import Broken, Building, Built

# A small app boots in some 30 ms, a build takes minutes: ask often at first, then ever less.
FIRST_WAIT = timedelta(milliseconds=4)
LONGEST_WAIT = timedelta(seconds=1)
GROWTH = 1.4


def watch(attempt: Attempt, uploaded: Uploaded) -> tuple[str, ...] | Ended:
    """Return the URLs that the target names for the built deployment, or how it ended."""
    with attempt.stage(Stage.BUILD) as note:
        ended = _until_decided(attempt, uploaded)
        note.text = "built" if isinstance(ended, tuple) else type(ended).__name__.lower()
        return ended


def _until_decided(attempt: Attempt, uploaded: Uploaded) -> tuple[str, ...] | Ended:
    services = attempt.services
    started_s = services.clock.monotonic_s()
    wait = FIRST_WAIT
    while True:
        seen = patiently(attempt.journal, lambda: services.target.observe(uploaded.id))
        match seen:
            case Built():
                return seen.urls
            case Broken():
                return Failed(
                    title="The build failed",
                    explanation=_what_went_wrong(seen),
                    log=seen.log,
                    transfer=uploaded.transfer,
                )
            case Building():
                pass
        if (given_up := attempt.given_up()) is not None:
            services.target.cancel(uploaded.id)
            return given_up
        waited_s = services.clock.monotonic_s() - started_s
        if waited_s > services.build_timeout.total_seconds():
            services.target.cancel(uploaded.id)
            return TimedOut(waited_s=round(waited_s))
        attempt.journal.pause(wait)
        wait = min(wait * GROWTH, LONGEST_WAIT)


def _what_went_wrong(broken: Broken) -> str:
    """Return the line that names the cause: Deno's own `error: ...`, or the last error line."""
    errors = [line.message for line in broken.log if line.level == "error"]
    causes = [message for message in errors if message.startswith("error: ")]
    return next(iter([*causes, *errors[-1:]]), "The platform gave no reason.")
