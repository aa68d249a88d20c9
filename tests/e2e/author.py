"""Somebody with a repository in an installation, who pushes and looks what came of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bot.adapters.local.repositories import LocalRepository, Repositories
from bot.bootstrap.reader import Reader
from bot.cli.demo_repository import WorkingCopy
from bot.core.decide.names import branch_label, slug_candidates
from bot.core.model.ids import AppName, Branch, CommitSha
from bot.core.model.preview import Deployment
from tests.e2e.installation import Answer, Installation
from tests.e2e.patience import until

MAIN = Branch("main")


@dataclass(frozen=True)
class Author:
    """One person, one clone, one bare repository that the installation watches."""

    installation: Installation
    bare: LocalRepository
    copy: WorkingCopy

    @classmethod
    def of(cls, installation: Installation, name: str, folder: Path) -> Self:
        """Make the repository `octo/<name>`; `folder` gets the clone."""
        bare = Repositories(installation.data_dir).create(f"octo/{name}")
        return cls(installation, bare, WorkingCopy(folder / name, bare.path))

    def push(self, greeting: str, branch: Branch = MAIN) -> CommitSha:
        """Say something else and push it; returns when the hook has delivered it."""
        self.copy.greet(greeting)
        self.copy.push(branch)
        return self.copy.head()

    def attempts(self, reader: Reader) -> list[Deployment]:
        """Return every attempt to deploy something of this repository, newest first."""
        number = self.bare.repository.id
        return [one for one in reader.store.recent(200) if one.preview.repository.id == number]

    def ended(self, sha: CommitSha) -> Deployment:
        """Wait until the attempt to deploy `sha` is over."""

        def look(reader: Reader) -> Deployment | None:
            over = (one for one in self.attempts(reader) if one.head == sha and one.is_over)
            return next(over, None)

        return self.installation.look_until(look, f"the end of {self.bare.path.stem}@{sha[:7]}")

    def begun(self) -> Deployment:
        """Wait until there is an attempt."""
        return self.installation.look_until(
            lambda reader: next(iter(self.attempts(reader)), None), "an attempt"
        )

    def stable_url(self, branch: Branch = MAIN) -> str:
        """Return the branch's URL as the running installation has it."""
        slug = slug_candidates(self.bare.repository, AppName(""))[0]
        label = branch_label(slug, self.bare.repository, branch)
        return self.installation.address["previews_url"].replace("*", label)

    def served(self, sha: CommitSha, branch: Branch = MAIN) -> Answer:
        """Wait until the branch's URL serves `sha`, and return its page."""

        def look() -> Answer | None:
            answer = self.installation.get(self.stable_url(branch))
            return answer if answer.headers.get("x-preview-sha") == sha else None

        return until(look, f"{sha[:7]} at {self.stable_url(branch)}")

    def on_platform(self) -> list[dict[str, Any]]:
        """Return what the platform's own API lists as this repository's deployments."""
        slug = slug_candidates(self.bare.repository, AppName(""))[0]
        organization = self.installation.address["organization"]
        (project,) = self._asked(f"/v1/organizations/{organization}/projects?q={slug}")
        return self._asked(f"/v1/projects/{project['id']}/deployments")

    def _asked(self, path: str) -> list[dict[str, Any]]:
        address = self.installation.address
        token = {"Authorization": f"Bearer {address['token']}"}
        answer = self.installation.get(address["api_url"], path, token)
        assert answer.status == 200, answer.body
        listed: list[dict[str, Any]] = json.loads(answer.body)
        return listed
