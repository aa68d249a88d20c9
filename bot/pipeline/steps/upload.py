"""Turn the commit into assets and hand them to the target: known blobs by hash, others inline."""

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from bot.core.decide.entrypoint import CANDIDATES, find_entrypoint
from bot.core.decide.names import line_app, project_of
from bot.core.model.briefs import Brief
from bot.core.model.errors import TargetRefused, TreeRefused
from bot.core.model.ids import BlobSha, Branch, CommitSha, TargetDeploymentId
from bot.core.model.lines import PRODUCTION, PullLine
from bot.core.model.manifest import FileAsset, Manifest
from bot.core.model.outcomes import Annotation, Failed, Severity
from bot.core.model.preview import Deployment, Stage, Transfer
from bot.core.model.selection import Selection
from bot.kernel.contents import Content
from bot.kernel.counting import counted, noun
from bot.kernel.lfs_pointer import is_pointer
from bot.pipeline.attempt import Attempt, Ended
from bot.pipeline.environment import environment_of
from bot.pipeline.gate import stopped
from bot.pipeline.patience import patiently
from bot.pipeline.steps.reuse import key_of, reusable, take
from bot.ports.source import KnownManifest
from bot.ports.target import Base, Created, Earlier, Order

_STRAY_POINTER = (
    "is a Git LFS pointer, but no .gitattributes hands it to Git LFS; it is deployed as it stands"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """What later steps need to know; small, because it is written to the journal."""

    id: TargetDeploymentId
    transfer: Transfer
    warnings: tuple[Annotation, ...]
    reused: CommitSha | None = None  # the commit that it was made for; None: for this one


def upload(attempt: Attempt) -> Uploaded | Ended:
    """Create the deployment on the target, or take the live one if it would be the same."""
    key = key_of(attempt)
    if (live := reusable(attempt, key)) is not None and live.target_id is not None:
        if (stop := stopped(attempt)) is not None:
            return stop
        transfer = take(attempt, live)
        return Uploaded(id=live.target_id, transfer=transfer, warnings=(), reused=live.head)
    return _made(attempt, key)


def _made(attempt: Attempt, key: str | None) -> Uploaded | Ended:
    """Create the deployment, or say why the tree cannot be one."""
    deployment = attempt.now()
    try:
        with attempt.stage(Stage.MANIFEST) as note:
            manifest = _manifest(attempt, deployment)
            note.text = _described(manifest, deployment)
    except TreeRefused as error:
        return _refused_tree(error.path, error.problem)
    if (stop := stopped(attempt)) is not None:
        return stop
    entrypoint = deployment_entrypoint(attempt, manifest)
    if entrypoint is None:
        return _no_entrypoint(attempt)
    pointers: set[BlobSha] = set()
    with attempt.stage(Stage.UPLOAD) as note:
        try:
            created = _create(attempt, manifest, entrypoint, pointers)
        except TreeRefused as error:
            # Known by its content only when it is read.
            path = attempt.selection.in_repository(_path_of(error.path, manifest))
            return _refused_tree(path, error.problem)
        except TargetRefused as error:
            return Failed(
                title="The platform refused the deployment",
                explanation=f"{error.code}: {error.message}",
            )
        transfer = created.transfer
        files = noun(transfer.files_total, "file")
        size = counted(transfer.bytes_sent, "byte")
        note.text = f"{transfer.files_sent} of {transfer.files_total} {files}, {size}"
    attempt.services.store.save(
        replace(attempt.now(), target_id=created.id, transfer=created.transfer, reuse_key=key)
    )
    return Uploaded(
        id=created.id,
        transfer=created.transfer,
        warnings=tuple(_warnings(manifest, pointers, attempt.selection)),
    )


def _described(manifest: Manifest, deployment: Deployment) -> str:
    """Return what the stage says; by its digest anybody can compare production with a preview."""
    number = counted(manifest.files_total(), "file")
    if deployment.preview.line != PRODUCTION:
        return number
    return f"{number}, SHA-256 {manifest.digest()}"


def let_go(attempt: Attempt, uploaded: Uploaded) -> None:
    """Remove from the target what nobody will use; what an earlier attempt made may be live."""
    if uploaded.reused is None and attempt.brief.back_to is None:
        attempt.target.cancel(uploaded.id)


def deployment_entrypoint(attempt: Attempt, manifest: Manifest) -> str | None:
    """Return the file that starts the app: as configured, else found by name; None if neither is.

    One that a build will make need not be there yet, and where nothing is found a build may make
    something that nobody can name now.
    """
    configured, builds = _configured_entrypoint(attempt), _builds(attempt.brief)
    if configured is not None:
        there = isinstance(manifest.assets.get(configured), FileAsset)
        return configured if there or builds else None
    return find_entrypoint(manifest) or (CANDIDATES[0] if builds else None)


def _configured_entrypoint(attempt: Attempt) -> str | None:
    brief = attempt.brief
    return brief.recipe.entrypoint or brief.entrypoint or attempt.services.entrypoint


def _builds(brief: Brief) -> bool:
    recipe = brief.recipe
    if recipe.says_how_to_build:
        return bool(recipe.framework or recipe.build)
    return brief.deno_json_builds


def _manifest(attempt: Attempt, deployment: Deployment) -> Manifest:
    """Return the commit's files, patched from the preview's last manifest if we still have it."""
    recent, selection = attempt.services.manifests, attempt.selection
    preview = deployment.preview
    manifest = patiently(
        attempt.journal,
        lambda: attempt.services.source.manifest(
            preview.repository, deployment.head, recent.get(preview.id), selection=selection
        ),
    )
    recent[preview.id] = KnownManifest(
        commit=deployment.head, manifest=manifest, selection=selection
    )
    return manifest


def _create(
    attempt: Attempt, manifest: Manifest, entrypoint: str, pointers: set[BlobSha]
) -> Created:
    """Create the deployment; `pointers` gets those contents that are pointers of Git LFS."""
    services, brief, target = attempt.services, attempt.brief, attempt.target
    deployment = attempt.now()
    preview = deployment.preview
    project = project_of(preview.slug, preview.repository, preview.line)
    known = services.store.known_blobs(target.name, project)
    order = Order(
        project=project,
        branch_app=line_app(preview.slug, preview.repository, preview.line),
        repository=preview.repository,
        branch=Branch(preview.name),
        pull=preview.line.pull if isinstance(preview.line, PullLine) else None,
        key=deployment.id,
        manifest=manifest,
        entrypoint=entrypoint,
        recipe=brief.recipe,
        deno_json_builds=brief.deno_json_builds,
        known=known,
        # A new branch too: what it starts from is what some other branch has just deployed.
        base=services.bases.get((target.name, project)),
        environment=environment_of(preview, brief, services),
    )
    created = patiently(attempt.journal, lambda: _ordered(order, attempt, pointers))
    services.bases[target.name, project] = Base(deployment=created.id, manifest=manifest)
    services.store.remember_blobs(target.name, project, manifest.blobs() - known)
    return created


def _noting(
    contents: Iterator[tuple[BlobSha, Content]], pointers: set[BlobSha]
) -> Iterator[tuple[BlobSha, Content]]:
    for sha1, content in contents:
        if isinstance(content, bytes) and is_pointer(content):  # they are short
            pointers.add(sha1)
        yield sha1, content


def _ordered(order: Order, attempt: Attempt, pointers: set[BlobSha]) -> Created:
    """Hand the order to the target: as it is, or as what an earlier deployment is made of."""
    services, promoted = attempt.services, attempt.brief.promoted
    repository = order.repository

    def read(wanted: Collection[BlobSha]) -> Iterator[tuple[BlobSha, Content]]:
        return _noting(services.source.blobs(repository, wanted), pointers)

    made = None if promoted is None else services.store.deployment(promoted).target_id
    if made is None:
        return attempt.target.create(order, read)
    return attempt.target.redeploy(order, Earlier(deployment=made), read)


def _path_of(blob: str, manifest: Manifest) -> str:
    for path, asset in manifest.assets.items():
        if isinstance(asset, FileAsset) and asset.sha1 == blob:
            return path
    return blob


def _warnings(
    manifest: Manifest, pointers: AbstractSet[BlobSha], selection: Selection
) -> Iterator[Annotation]:
    reasons = {left.path: left.reason for left in manifest.left_out}
    if pointers:
        reasons |= {
            path: _STRAY_POINTER
            for path, asset in manifest.assets.items()
            if isinstance(asset, FileAsset) and asset.sha1 in pointers
        }
    for path, reason in reasons.items():
        where = selection.in_repository(path)
        yield Annotation(path=where, line=1, message=reason, severity=Severity.WARNING)


def _refused_tree(path: str, problem: str) -> Failed:
    return Failed(
        title="The commit holds a path that is not deployed",
        explanation=str(TreeRefused(path, problem)),
        annotations=(Annotation(path=path, line=1, message=problem),),
    )


def _no_entrypoint(attempt: Attempt) -> Failed:
    configured = _configured_entrypoint(attempt)
    if configured is not None:
        return Failed(
            title="The entry point does not exist",
            explanation=f"The commit has no file {configured}.",
        )
    return Failed(
        title="No entry point found",
        explanation=(
            f"Add a file with one of these names: {', '.join(CANDIDATES[:6])}, ..., or index.html"
            " for a static site."
        ),
    )
