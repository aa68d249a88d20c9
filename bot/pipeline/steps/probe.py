"""Prove that the immutable URL serves this commit, before any stable URL points at it."""

from dataclasses import replace
from datetime import timedelta

from bot.core.decide.names import deployment_label
from bot.core.model.outcomes import Failed
from bot.core.model.preview import Stage
from bot.pipeline.attempt import Attempt, Ended
from bot.pipeline.patience import patiently
from bot.pipeline.steps.upload import Uploaded
from bot.ports.target import NotServing, Serving

PATIENCE = timedelta(seconds=15)
WAIT = timedelta(milliseconds=250)


def probe(attempt: Attempt, uploaded: Uploaded, named: tuple[str, ...]) -> str | Ended:
    """Return the immutable URL once it serves the commit.

    `named` are the URLs that the target itself gave the deployment; they are used when it has no
    wildcard domain under which we choose the labels.
    """
    services, target = attempt.services, attempt.target
    deployment = attempt.now()
    label = deployment_label(deployment.preview.slug, deployment.id)
    with attempt.stage(Stage.PROBE) as note:
        url = target.url(label)
        if url is not None:
            patiently(
                attempt.journal,
                lambda: target.bind(uploaded.id, label, deployment.head),
            )
        elif named:
            url = named[0]
        else:
            return Failed(
                title="The platform gave the deployment no URL",
                explanation="Set PREVIEWBOT_PREVIEWS_URL to the platform's wildcard domain.",
                transfer=uploaded.transfer,
            )
        seen = wait_until_serving(attempt, uploaded, url)
        if isinstance(seen, NotServing):
            note.text = seen.reason
            return Failed(
                title="The preview does not answer",
                explanation=f"{url}: {seen.reason}",
                log=target.build_log(uploaded.id),
                transfer=uploaded.transfer,
            )
        note.text = "answers"
    services.store.save(replace(attempt.now(), deployment_url=url))
    return url


def wait_until_serving(attempt: Attempt, uploaded: Uploaded, url: str) -> Serving | NotServing:
    """Return as soon as `url` serves the commit, or after `PATIENCE` why it does not."""
    services = attempt.services
    head, target = attempt.now().head, attempt.target
    until_s = services.clock.monotonic_s() + PATIENCE.total_seconds()
    while True:
        seen = patiently(attempt.journal, lambda: target.probe(url, uploaded.id, head))
        if isinstance(seen, Serving) or services.clock.monotonic_s() > until_s:
            return seen
        attempt.journal.pause(WAIT)
