"""What routers in processes of their own and the supervisor say to each other: JSON lines."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from bot.subhosting.build import site
from bot.subhosting.build.site import Site
from bot.subhosting.host.live import NoInstance
from bot.subhosting.router_config import RouterConfig
from bot.subhosting.store.records import Attachment, BindingRecord, Context, InstanceKey

Message = dict[str, Any]

# All routes of a server are one line.
MAX_LINE_BYTES = 64 * 1024 * 1024


class Wire:
    """One end: messages out, questions with answers, messages in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak over these."""
        self._reader = reader
        self._writer = writer
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._number = 0

    def say(self, message: Message) -> None:
        """Send a message; if the other end is gone, nobody needs it any more."""
        if not self._writer.is_closing():
            self._writer.write(orjson.dumps(message) + b"\n")

    def ask(self, message: Message) -> "asyncio.Future[Message]":
        """Send a question; the answer is empty if the other end goes away."""
        self._number += 1
        answer = asyncio.get_running_loop().create_future()
        self._answers[self._number] = answer
        self.say({**message, "n": self._number})
        return answer

    async def listen(self, heard: Callable[[Message], None]) -> None:
        """Pass on what is said until the other end goes away."""
        try:
            while line := await self._reader.readline():
                message: Message = orjson.loads(line)
                if message["op"] == "answer":
                    answer = self._answers.pop(message["n"], None)
                    if answer is not None and not answer.done():
                        answer.set_result(message)
                else:
                    heard(message)
        except OSError:
            return
        finally:
            self.close()

    def answer(self, question: Message, message: Message) -> None:
        """Answer a question."""
        self.say({**message, "op": "answer", "n": question["n"]})

    def close(self) -> None:
        """Hang up; whoever waits for an answer gets none."""
        self._writer.close()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result({})
        self._answers.clear()


def config_document(config: RouterConfig) -> Message:
    """Return a router's configuration as JSON: durations in seconds."""
    return {
        name: value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in asdict(config).items()
    }


def config_from(document: Message) -> RouterConfig:
    """Read what `config_document` wrote."""
    known = dict(document)
    for field in fields(RouterConfig):
        if field.type in {timedelta, "timedelta"}:
            known[field.name] = timedelta(seconds=known[field.name])
    known["trusted_proxies"] = tuple(known["trusted_proxies"])
    return RouterConfig(**known)


def binding_document(binding: BindingRecord) -> Message:
    """Return a binding as JSON."""
    limit = binding.request_timeout
    return {
        **asdict(binding),
        "request_timeout": None if limit is None else limit.total_seconds(),
    }


def binding_from(document: Message) -> BindingRecord:
    """Read what `binding_document` wrote."""
    limit = document["request_timeout"]
    return BindingRecord(
        **{
            **document,
            "request_timeout": None if limit is None else timedelta(seconds=limit),
            "context": Context(document["context"]),
            "attachment": Attachment(document["attachment"]),
        }
    )


def key_document(key: InstanceKey) -> Message:
    """Return which instance is meant."""
    return {"deployment": key.deployment_id, "context": key.context}


def key_from(document: Message) -> InstanceKey:
    """Read what `key_document` wrote."""
    context = document["context"]
    return InstanceKey(document["deployment"], None if context is None else Context(context))


def none_document(found: NoInstance) -> Message:
    """Return why there is no instance."""
    return {"reason": found.reason, "log": list(found.log), "status": found.status}


def none_from(document: Message) -> NoInstance:
    """Read what `none_document` wrote."""
    log = tuple((level, text) for level, text in document["log"])
    return NoInstance(reason=document["reason"], log=log, status=document["status"])


def site_document(found: Site) -> Message:
    """Return a static site with its listing; 200 KB for 1,000 files, once per router."""
    return {
        "root": str(found.root),
        "by_content": found.by_content,
        "spa": found.spa,
        "deployed_at": found.deployed_at.isoformat(),
        "files": found.listing.files,
        "links": found.listing.links,
    }


def site_from(document: Message) -> Site:
    """Read what `site_document` wrote."""
    return Site(
        root=Path(document["root"]),
        by_content=document["by_content"],
        spa=document["spa"],
        deployed_at=datetime.fromisoformat(document["deployed_at"]),
        listing=site.Listing(document["files"], document["links"]),
    )
