"""Ports -> what a repository says about one of its commits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bot.core.decide.configs import counting
from bot.core.model.config import (
    CONFIG_PATHS,
    DENO_PATHS,
    NOTHING_SAID,
    AppConfig,
    ConfigFile,
    Counting,
    DenoFile,
    Lifetimes,
    Mistaken,
)
from bot.core.model.errors import CommitGone, SourceUnavailable, TreeRefused
from bot.core.model.ids import Branch, CommitSha, Repository
from bot.core.model.lines import PRODUCTION, BranchLine, Line
from bot.core.model.outcomes import Annotation
from bot.core.model.snapshot import AppFacts
from bot.ports.services import Services
from bot.ports.source import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """What decisions about a commit read of its repository."""

    head: CommitSha | None = None  # the commit; None: nothing of it was read
    setup: Counting | Mistaken = NOTHING_SAID
    message: str = ""  # the commit's
    apps: tuple[AppFacts, ...] = ()


def configured(
    repository: Repository, line: Line, head: CommitSha, services: Services
) -> Configured:
    """Return what counts for `head`, and how each app stands on `line`.

    A commit that is gone says nothing: whoever deploys it tells so.

    Raises:
        SourceUnavailable: the repository could not be read.

    """
    try:
        services.source.fetch(repository, head)
    except CommitGone:
        return Configured(apps=_facts(NOTHING_SAID, repository, line, services))
    own, look = _own_file(repository, head, services)
    setup = counting(_trusted_file(repository, line, own, services), own)
    facts = _facts(setup, repository, line, services)
    denos = _deno_files(facts, repository, head, services)
    apps = tuple(
        replace(
            each,
            deno=denos.get(each.config.recipe.root or ""),
            changed=_changed(each, repository, line, head, services),
        )
        for each in facts
    )
    return Configured(head=head, setup=setup, message=look.message, apps=apps)


def lifetimes_of(repository: Repository, services: Services) -> Lifetimes:
    """Return how long the repository's previews stay: its own word, else the operator's.

    Raises:
        SourceUnavailable: the repository could not be read.

    """
    usual = services.lifetimes
    head = services.source.head(repository, repository.default_branch)
    if head is None:
        return usual
    found = configured(repository, BranchLine(repository.default_branch), head, services).setup
    said = found.config.lifetimes if isinstance(found, Counting) else Lifetimes()
    return Lifetimes(
        longest=said.longest or usual.longest,
        idle=said.idle or usual.idle,
        most=said.most or usual.most,
    )


def in_production(
    repository: Repository, branch: Branch, found: Configured, services: Services
) -> tuple[AppFacts, ...]:
    """Return how the apps that have a production stand there, on the default branch's behalf.

    Raises:
        SourceUnavailable: the repository could not be read.

    """
    if branch != repository.default_branch:
        return ()
    return tuple(
        replace(
            each,
            newest=services.store.newest(repository.id, PRODUCTION, each.app),
            changed=None
            if found.head is None
            else _changed(each, repository, PRODUCTION, found.head, services),
        )
        for each in found.apps
        if each.config.production is not None
    )


def configured_unseen(repository: Repository, line: Line, services: Services) -> Configured:
    """Return what counts for a commit of strangers that nobody has approved: nothing of its own.

    Raises:
        SourceUnavailable: the repository could not be read.

    """
    setup = counting(_trusted_file(repository, line, None, services), None)
    return Configured(setup=setup, apps=_facts(setup, repository, line, services))


def _own_file(
    repository: Repository, commit: CommitSha, services: Services
) -> tuple[ConfigFile | None, Look]:
    """Return the configuration of a fetched commit, and what was seen beside it."""
    try:
        look = services.source.look(repository, commit, files=CONFIG_PATHS)
    except TreeRefused as refused:
        remark = Annotation(path=refused.path, line=1, message=refused.problem)
        return ConfigFile(path=refused.path, config=None, problems=(remark,)), Look()
    path = next((path for path in CONFIG_PATHS if path in look.files), None)
    return None if path is None else services.configs.read(path, look.files[path]), look


def _trusted_file(
    repository: Repository, line: Line, own: ConfigFile | None, services: Services
) -> ConfigFile | None:
    """Return the default branch's configuration, which is `own` on the default branch."""
    if line == BranchLine(repository.default_branch):
        return own
    head = services.source.head(repository, repository.default_branch)
    if head is None:
        return None
    try:
        services.source.fetch(repository, head)
    except CommitGone as gone:
        raise SourceUnavailable(str(gone)) from gone  # it has moved on; the next look will tell
    return _own_file(repository, head, services)[0]


def _facts(
    setup: Counting | Mistaken, repository: Repository, line: Line, services: Services
) -> tuple[AppFacts, ...]:
    return tuple(
        AppFacts(
            app=app.name,
            newest=services.store.newest(repository.id, line, app.name),
            config=app,
        )
        for app in _apps(setup, repository, line, services)
    )


def _apps(
    setup: Counting | Mistaken, repository: Repository, line: Line, services: Services
) -> tuple[AppConfig, ...]:
    """Return the apps of a configuration; of a wrong one, those that are known otherwise."""
    match setup:
        case Counting(config=config):
            return config.apps
        case Mistaken(apps=names):
            attempts = services.store.attempts_on(repository.id, line)
            known = dict.fromkeys(attempt.preview.app for attempt in attempts)
            return tuple(AppConfig(name=name) for name in known or names)


def _deno_files(
    apps: Iterable[AppFacts], repository: Repository, head: CommitSha, services: Services
) -> Mapping[str, DenoFile]:
    """Return the deno.json of each app's root, by the root."""
    roots = {facts.config.recipe.root or "" for facts in apps}
    paths = {root: [f"{root}/{name}".lstrip("/") for name in DENO_PATHS] for root in roots}
    wanted = [path for named in paths.values() for path in named]
    try:
        files = services.source.look(repository, head, files=wanted).files
    except TreeRefused:
        return {}  # no configuration is that large; it is the platform's to complain
    found = {
        root: next((path for path in named if path in files), None)
        for root, named in paths.items()
    }
    return {
        root: services.configs.read_deno(path, files[path])
        for root, path in found.items()
        if path is not None
    }


def _changed(
    facts: AppFacts, repository: Repository, line: Line, head: CommitSha, services: Services
) -> frozenset[str] | None:
    """Return what differs from what is live, or from where the branch began; None for all."""
    if not facts.config.rules.paths:
        return None  # nobody asks
    live = services.store.newest_live(repository.id, line, facts.app)
    if live is not None and not live.preview.buried:
        return services.source.changed(repository, live.head, head)
    if line in {BranchLine(repository.default_branch), PRODUCTION}:
        return None
    trunk = services.source.head(repository, repository.default_branch)
    base = None if trunk is None else services.source.common_ancestor(repository, trunk, head)
    return None if base is None else services.source.changed(repository, base, head)
