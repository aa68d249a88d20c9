"""Every exception of the bot, split by what the reader can do about it.

BotError
├── ConfigurationProblem      fix a setting; the message names it
├── IllegalTransition         a mistake of ours: a state moved where it may not
├── RecordNotFound            a store was asked for what it never had
├── PayloadNotUnderstood      a delivery is not of the shape that its kind has
├── SourceError               git did not give what was asked
│   ├── CommitGone            the commit no longer exists (force-pushed away)
│   ├── TreeRefused           the commit's tree holds what we will not deploy
│   └── SourceUnavailable     git may answer later
├── TargetError               the platform did not do what was asked
│   ├── TargetNotConfigured   no setting leads to it; the operator has to name it
│   ├── TargetRefused         it understood and said no; trying again is no use
│   └── TargetUnavailable     it may answer later
└── ForgeError                the forge did not take what was written
    ├── ForgeRefused          it understood and said no (rights, limits)
    └── ForgeUnavailable      it may answer later

An expected end of a deployment (a failed build, a newer push) is no exception: see `outcomes`.
"""

from datetime import timedelta


class BotError(Exception):
    """Anything the bot raises on purpose."""


class ConfigurationProblem(BotError):  # noqa: N818 - reads as a sentence in `except`
    """A setting is missing or wrong."""

    def __init__(self, setting: str, problem: str) -> None:
        """Name the setting, and say what is wrong and where a right value comes from."""
        super().__init__(f"{setting}: {problem}")
        self.setting = setting
        self.problem = problem


class IllegalTransition(BotError):  # noqa: N818
    """A state was asked to move where no arrow leads."""

    def __init__(self, present: str, wanted: str) -> None:
        """Name both ends."""
        super().__init__(f"a deployment cannot go from {present} to {wanted}")
        self.present = present
        self.wanted = wanted


class RecordNotFound(BotError):  # noqa: N818
    """A row that must exist does not."""

    def __init__(self, kind: str, key: str) -> None:
        """Name what was looked for."""
        super().__init__(f"there is no {kind} {key}")
        self.kind = kind
        self.key = key


class PayloadNotUnderstood(BotError):  # noqa: N818
    """A delivery's payload is not what its name says; it ends recorded, with these words."""


class SourceError(BotError):
    """Git did not give what was asked."""


class CommitGone(SourceError):  # noqa: N818
    """The commit is not on the server any more."""

    def __init__(self, commit: str) -> None:
        """Name the commit."""
        super().__init__(f"commit {commit} no longer exists; it was probably force-pushed away")
        self.commit = commit


class TreeRefused(SourceError):  # noqa: N818
    """The tree holds a path that is never deployed."""

    def __init__(self, path: str, problem: str) -> None:
        """Name the path and what is wrong with it."""
        super().__init__(f"{path!r} {problem}")
        self.path = path
        self.problem = problem


class SourceUnavailable(SourceError):  # noqa: N818
    """The repository could not be read now."""


class RepositoryClosed(SourceUnavailable):
    """The server does not let us read the repository, or there is none."""


class TargetError(BotError):
    """The platform did not do what was asked."""


class TargetNotConfigured(TargetError):  # noqa: N818
    """No setting leads to the platform."""

    def __init__(self, target: str) -> None:
        """Name the target as it was named to us: by the operator's name, or the platform's own."""
        super().__init__(
            f"the target {target!r} is not configured; whoever operates previewbot names it in "
            "PREVIEWBOT_TARGETS"
        )
        self.target = target


class TargetRefused(TargetError):  # noqa: N818
    """The platform understood the request and refused it."""

    def __init__(self, target: str, *, status: int, code: str, message: str) -> None:
        """Keep the platform's own words."""
        super().__init__(f"{target} refused ({status} {code}): {message}")
        self.target = target
        self.status = status
        self.code = code
        self.message = message


class TargetUnavailable(TargetError):  # noqa: N818
    """The platform may answer later."""

    def __init__(self, target: str, problem: str, *, retry_after: timedelta | None = None) -> None:
        """Say who is away, how it showed, and for how long if it said so."""
        super().__init__(f"{target} is unavailable: {problem}")
        self.target = target
        self.retry_after = retry_after


class ForgeError(BotError):
    """The forge did not take what was written."""


class ForgeRefused(ForgeError):  # noqa: N818
    """The forge understood the request and refused it."""

    def __init__(self, request: str, *, status: int, message: str) -> None:
        """Name the request and keep the forge's words."""
        super().__init__(f"{request} was refused ({status}): {message}")
        self.request = request
        self.status = status
        self.message = message


class ForgeUnavailable(ForgeError):  # noqa: N818
    """The forge may answer later."""

    def __init__(self, request: str, problem: str) -> None:
        """Name the request and how it failed."""
        super().__init__(f"{request} failed: {problem}")
        self.request = request
