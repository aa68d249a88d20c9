"""Watch the target's build until it is decided, given up or out of time."""

from collections.abc import Generator
from contextlib import closing
from datetime import timedelta

import structlog

from bot.core.model.errors import TargetUnavailable
from bot.core.model.outcomes import Failed, TimedOut
from bot.core.model.preview import Stage
from bot.pipeline.attempt import Attempt, Ended
from bot.pipeline.patience import patiently
from bot.pipeline.steps.upload import Uploaded, let_go
from bot.ports.target import Broken, Building, Built, Observation

log = structlog.get_logger()

# Before a build is followed anew that nobody could tell of for a while.
WAIT = timedelta(seconds=1)


def watch(attempt: Attempt, uploaded: Uploaded) -> tuple[str, ...] | Ended:
    """Return the URLs that the target names for the built deployment, or how it ended."""
    with attempt.stage(Stage.BUILD) as note:
        ended = _until_decided(attempt, uploaded)
        note.text = "built" if isinstance(ended, tuple) else type(ended).__name__.lower()
        return ended


def _until_decided(attempt: Attempt, uploaded: Uploaded) -> tuple[str, ...] | Ended:
    services = attempt.services
    started_s = services.clock.monotonic_s()
    with closing(_followed(attempt, uploaded)) as followed:
        for seen in followed:
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
                case Building(phase=phase):
                    if phase is not None:
                        attempt.narrator.at(Stage.BUILD, phase)
            if (given_up := attempt.given_up()) is not None:
                let_go(attempt, uploaded)
                return given_up
            waited_s = services.clock.monotonic_s() - started_s
            if waited_s > services.build_timeout.total_seconds():
                break
    let_go(attempt, uploaded)
    return TimedOut(waited_s=round(services.clock.monotonic_s() - started_s))


def _followed(attempt: Attempt, uploaded: Uploaded) -> Generator[Observation, None, None]:
    """Yield what the target tells of the build, and follow it anew when it was away meanwhile."""
    target = attempt.target
    while True:
        following = target.follow(uploaded.id)
        try:
            with closing(following):
                yield from following
        except TargetUnavailable as error:
            log.warning("build_lost_from_sight", problem=str(error))
        else:
            return
        # Patient as long as the target is away; following begins with this question again.
        yield patiently(attempt.journal, lambda: target.observe(uploaded.id))
        attempt.journal.pause(WAIT)


def _what_went_wrong(broken: Broken) -> str:
    """Return the line that names the cause: Deno's own `error: ...`, or the last error line."""
    errors = [line.message for line in broken.log if line.level == "error"]
    causes = [message for message in errors if message.startswith("error: ")]
    return next(iter([*causes, *errors[-1:]]), "The platform gave no reason.")
