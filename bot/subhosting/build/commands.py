"""The commands of a build as an app sees them: which shell, which tools, which variables."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.subhosting.config import SubhostingConfig

# Where real tools are looked for; whatever is in one of these folders beats our stand-ins.
_PATH = "/usr/local/bin:/usr/bin:/bin"

# Deno takes node's arguments when it is called by this name, all but one.
_NODE = """\
#!/bin/sh
case "$1" in
  -v | --version) exec deno eval 'console.log(process.version)' ;;
  *) exec "${0%/*}/../named/node" "$@" ;;
esac
"""
# npm for machines without one. Packages are installed, and all JavaScript is run, by Deno.
_NPM = """\
#!/bin/sh
case "$1" in
  ci | i | install) exec deno install ;;
  run | run-script) shift; name=$1; shift; [ "$1" = -- ] && shift; exec deno task "$name" "$@" ;;
  start | test) exec deno task "$@" ;;
  exec | x) shift; exec npx "$@" ;;
  *) echo "npm: only ci, install, run, start, test and exec work here, not '$1'" >&2; exit 64 ;;
esac
"""
_NPX = """\
#!/bin/sh
while [ "$1" = -y ] || [ "$1" = --yes ] || [ "$1" = -- ]; do shift; done
name=$1; shift
exec deno run --allow-all "npm:$name" "$@"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where a build works: the app's files, Deno's cache, and room for anything else."""

    source: Path
    cache: Path
    # Deleted after the build. Its path is in the environment of every process of the build and of
    # no other, which is how those that outlive their command are found.
    scratch: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Which build of what: shown to commands under Deno's names."""

    organization_id: str
    organization: str
    app_id: str
    app: str
    revision: str


def put_tools(folder: Path, deno: Path) -> None:
    """Make the folder of tools that builds find first and last in their search path."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("first", "last", "named"):
        (folder / name).mkdir(parents=True)
    (folder / "first" / "deno").symlink_to(deno)
    (folder / "named" / "node").symlink_to(deno)
    for name, script in {"node": _NODE, "npm": _NPM, "npx": _NPX}.items():
        (folder / "last" / name).write_text(script, encoding="utf-8")
        (folder / "last" / name).chmod(0o755)


def command_argv(command: str) -> list[str]:
    """Return what runs a command of the app's: published as shell commands, so by a shell."""
    return ["/bin/sh", "-c", command]


def command_environment(
    config: SubhostingConfig, folders: Folders, names: Names, variables: Mapping[str, str]
) -> dict[str, str]:
    """Return the whole environment of a command; the platform's names win over the app's.

    The names of Deno's own builders: https://docs.deno.com/deploy/reference/builds/
    """
    tools = config.tools_dir
    return {
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "CI": "true",
        **variables,
        **dict(config.installer_environment),
        **config.registries,
        "HOME": str(folders.scratch),
        "TMPDIR": str(folders.scratch),
        "PATH": f"{tools / 'first'}:{_PATH}:{tools / 'last'}",
        "DENO_DIR": str(folders.cache),
        "DENO_NO_UPDATE_CHECK": "1",
        "DENO_DEPLOY": "true",
        "DENO_DEPLOY_ORG_ID": names.organization_id,
        "DENO_DEPLOY_ORG_SLUG": names.organization,
        "DENO_DEPLOY_APP_ID": names.app_id,
        "DENO_DEPLOY_APP_SLUG": names.app,
        "DENO_DEPLOY_BUILD_ID": names.revision,
    }
