"""Four pushes to one branch, made behind the bot's back and told to it in any order."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.adapters.local import push_hook
from bot.adapters.local.push_hook import RefUpdate
from bot.bootstrap.reader import Reader
from bot.core.model.ids import Branch, CommitSha
from bot.kernel.ids import RandomIds
from tests.e2e.author import Author
from tests.e2e.installation import Installation


@dataclass(frozen=True)
class FourPushes:
    """Three commits and a force-push back to the first, with the hook taken away."""

    author: Author
    branch: Branch
    updates: list[RefUpdate]

    @classmethod
    def made(cls, author: Author, branch: Branch) -> Self:
        author.copy.git("switch", "--quiet", "--create", branch, "main")
        nothing = CommitSha("0" * 40)
        heads = [author.push(f"{number} on {branch}", branch) for number in (1, 2, 3)]
        author.copy.git("push", "--quiet", "--force", "origin", f"{heads[0]}:refs/heads/{branch}")
        olds, news = [nothing, *heads], [*heads, heads[0]]
        ref = f"refs/heads/{branch}"
        updates = [
            RefUpdate(before=old, after=new, ref=ref) for old, new in zip(olds, news, strict=True)
        ]
        return cls(author, branch, updates)

    @property
    def head(self) -> CommitSha:
        return CommitSha(self.updates[-1].after)

    def deliver(self, place: int) -> str:
        """Post the push at `place` to the receiver, signed; return the delivery's GUID."""
        bare, address = self.author.bare, self.author.installation.address
        described = push_hook.described(bare.path, bare.repository.name)
        payload = push_hook.payload(push_hook.pushed(self.updates[place], bare.path), described)
        guid = RandomIds().new()
        answer = push_hook.deliver(
            address["webhook_url"], payload, address["webhook_secret"], guid
        )
        assert answer.status == 202, answer.body
        return guid

    def settled(self, guids: list[str]) -> bool:
        """Wait until every delivery is decided and every attempt on the branch is over."""

        def look(reader: Reader) -> bool:
            decided = all(record.reason for guid in guids for record in reader.deliveries(guid))
            attempts = [
                one for one in self.author.attempts(reader) if one.preview.name == self.branch
            ]
            return decided and bool(attempts) and all(one.is_over for one in attempts)

        return self.author.installation.look_until(look, f"peace on {self.branch}")


def author_without_hook(installation: Installation, folder: Path) -> Author:
    """Return an author whose pushes nobody is told about."""
    author = Author.of(installation, "orders", folder)
    (author.bare.path / "hooks" / "post-receive").unlink()
    return author
