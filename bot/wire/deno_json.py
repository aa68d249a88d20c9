"""The `deploy` key of a deno.json, the part that the bot reads; other keys are Deno's own.

Sources: https://docs.deno.com/deploy/reference/builds/ and, for `include` and `exclude`,
https://docs.deno.com/deploy/classic/deployctl/.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class DenoPart(BaseModel):
    """Keys that we do not know belong to others; those that we know have to be right."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class DenoRuntime(DenoPart):
    """`deploy.runtime`: a program, or a folder that is served as it is."""

    type: str = "dynamic"
    entrypoint: str | None = None
    cwd: str | None = None
    spa: bool | None = None


class DenoDeploy(DenoPart):
    """`deploy`."""

    org: str | None = None
    app: str | None = None
    framework: str | None = None
    install: str | None = None
    build: str | None = None
    predeploy: str | None = None
    runtime: DenoRuntime | None = None
    include: Annotated[list[str], Field(max_length=100)] | None = None
    exclude: Annotated[list[str], Field(max_length=100)] | None = None


class DenoJson(DenoPart):
    """deno.json or deno.jsonc."""

    deploy: DenoDeploy | None = None
