"""Give the stable URL to the commit, if it is still the newest."""

from dataclasses import replace

from bot.core.model.ids import CommitSha
from bot.core.model.outcomes import NOT_VERIFIED, Failed, Live, Superseded, Withdrawn
from bot.core.model.preview import Preview, Stage
from bot.pipeline.attempt import Attempt, Ended
from bot.pipeline.heads import head_now, overtaken
from bot.pipeline.patience import patiently
from bot.pipeline.pulls import bind_pulls
from bot.pipeline.steps.attach import attach_domain
from bot.pipeline.steps.leave import leave_elsewhere
from bot.pipeline.steps.probe import wait_until_serving
from bot.pipeline.steps.upload import Uploaded, let_go
from bot.ports.target import NotServing


def bind(attempt: Attempt, uploaded: Uploaded, deployment_url: str) -> Live | Ended:
    """Point the stable label at the deployment and confirm it by one request.

    Attempts of one preview run one after another, so nothing can bind between the check and the
    binding; what can change is the branch itself, which is why its head is asked for once more.
    """
    with attempt.stage(Stage.BIND) as note:
        if (given_up := _no_longer_newest(attempt)) is not None:
            note.text = "superseded"
            let_go(attempt, uploaded)
            return given_up
        bound = _bind(attempt, uploaded, deployment_url)
        if isinstance(bound, Live) and not bound.verified:
            note.text = NOT_VERIFIED
        return bound


def _no_longer_newest(attempt: Attempt) -> Superseded | Withdrawn | None:
    if (given_up := attempt.given_up()) is not None:
        return given_up
    deployment = attempt.now()
    preview = deployment.preview
    head = patiently(
        attempt.journal,
        lambda: head_now(preview.repository, preview.line, attempt.services),
    )
    if head == (deployment.instead_of or deployment.head) or (
        head is not None and _is_skipped(preview, head, attempt)
    ):
        return None
    return overtaken(preview.line, head)


def _is_skipped(preview: Preview, head: CommitSha, attempt: Attempt) -> bool:
    """Tell whether the newer commit is known not to be deployed, so that ours is the newest."""
    store = attempt.services.store
    newest = store.newest(preview.repository.id, preview.line, preview.app)
    return newest is not None and newest.head == head and not store.brief(newest.id).deploys


def _bind(attempt: Attempt, uploaded: Uploaded, deployment_url: str) -> Live | Ended:
    services, target = attempt.services, attempt.target
    deployment = attempt.now()
    label = deployment.preview.label
    url = None
    if label is not None:
        url = patiently(attempt.journal, lambda: target.bind(uploaded.id, label, deployment.head))
    seen = wait_until_serving(attempt, uploaded, url or deployment_url)
    if isinstance(seen, NotServing):
        return Failed(
            title="The stable URL does not serve the commit",
            explanation=f"{url or deployment_url}: {seen.reason}",
            transfer=uploaded.transfer,
        )
    services.store.save(replace(attempt.now(), url=url))
    leave_elsewhere(attempt)
    remarks = attach_domain(attempt, uploaded)
    pull_urls = bind_pulls(uploaded.id, attempt.now(), services, attempt.journal)
    return Live(
        url=url,
        deployment_url=deployment_url,
        transfer=uploaded.transfer,
        verified=seen.verified,
        warnings=(*uploaded.warnings, *remarks),
        pull_urls=pull_urls,
        reused=uploaded.reused,
    )
