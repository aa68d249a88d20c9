"""Take what is live for what would be made, where both are made of the same."""

from dataclasses import replace

from bot.core.decide.reuse import Makings, reuse_key
from bot.core.model.errors import SourceUnavailable, TargetRefused, TreeRefused
from bot.core.model.ids import TargetDeploymentId
from bot.core.model.preview import Deployment, Stage, Transfer
from bot.core.render.checks import unchanged_in_words
from bot.pipeline.attempt import Attempt
from bot.pipeline.environment import environment_of, variables_version_of
from bot.pipeline.patience import patiently
from bot.ports.target import Built


def key_of(attempt: Attempt) -> str | None:
    """Return what the attempt's deployment is made of; None where the source cannot tell.

    Raises:
        ConfigurationProblem: its variables cannot be opened.

    """
    services, deployment, brief = attempt.services, attempt.now(), attempt.brief
    preview, root = deployment.preview, brief.selection.root
    try:
        look = services.source.look(preview.repository, deployment.head, folders=[root])
    except (SourceUnavailable, TreeRefused):
        return None  # whoever makes the manifest tells, or mends it
    tree = look.folders.get(root)
    if tree is None:
        return None
    return reuse_key(
        Makings(
            tree=tree,
            brief=brief,
            variables=variables_version_of(preview, services),
            database=environment_of(preview, brief, services).database,
            runtime=services.runtime if attempt.target is services.targets.usual else "",
            trust=preview.trust,
        )
    )


def reusable(attempt: Attempt, key: str | None) -> Deployment | None:
    """Return the live attempt of the same preview that is made of the same, if it still runs.

    Never another preview's: it goes with its branch. A person who asks gets a new one.
    """
    if key is None or attempt.brief.anew:
        return None
    services, now = attempt.services, attempt.now()
    preview, place = now.preview, services.targets.name_of
    live = services.store.newest_live(preview.repository.id, preview.line, preview.app)
    if live is None or live.reuse_key != key or live.target_id is None:
        return None
    if place(live) != place(now):
        return None
    return live if _still_runs(attempt, live.target_id) else None


def take(attempt: Attempt, live: Deployment) -> Transfer:
    """Let the attempt stand for the target's deployment of `live`; nothing is sent."""
    total = 0 if live.transfer is None else live.transfer.files_total
    transfer = Transfer(files_total=total, files_sent=0, bytes_sent=0)
    with attempt.stage(Stage.UPLOAD) as note:
        note.text = unchanged_in_words(live.head)
        attempt.services.store.save(
            replace(
                attempt.now(),
                target_id=live.target_id,
                transfer=transfer,
                reuse_key=live.reuse_key,
            )
        )
    return transfer


def _still_runs(attempt: Attempt, key: TargetDeploymentId) -> bool:
    try:
        seen = patiently(attempt.journal, lambda: attempt.target.observe(key))
    except TargetRefused:
        return False  # it was removed, by hand or with its project
    return isinstance(seen, Built)
