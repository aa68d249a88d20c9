"""What a git child may see: a built environment and a configuration file of ours, nothing else."""

import os
import tempfile
from pathlib import Path

from bot.kernel.processes import built_environment

# A transfer below 1 byte/s for a minute is dead (a server that is still counting objects sends
# keep-alives): what ends a fetch whose worker was killed and whose server hangs.
# https://git-scm.com/docs/git-config#Documentation/git-config.txt-httplowSpeedLimit
_LOW_SPEED_BYTES_PER_S = 1
_LOW_SPEED_S = 60

# `safe.directory` reaches the upload-pack of a file:// fetch only from here, not through -c: a
# mounted repository is often another user's. `uploadpack.*` is for such plain repositories too.
# `warnAmbiguousRefs` costs a dozen looks for refs that are called like a commit, at each command.
_CONFIG = f"""\
[safe]
\tdirectory = *
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[core]
\thooksPath = /dev/null
\tfsmonitor = false
\twarnAmbiguousRefs = false
\tsshCommand = ssh -oBatchMode=yes -oConnectTimeout=15 -oServerAliveInterval=15 \
-oForwardAgent=no -oClearAllForwardings=yes
[http]
\tfollowRedirects = false
\tlowSpeedLimit = {_LOW_SPEED_BYTES_PER_S}
\tlowSpeedTime = {_LOW_SPEED_S}
[protocol]
\tversion = 2
[gc]
\tauto = 0
[maintenance]
\tauto = false
[submodule]
\trecurse = false
[fetch]
\trecurseSubmodules = false
\tshowForcedUpdates = false
[advice]
\tdetachedHead = false
"""


def closed_environment(home: Path, scheme: str) -> dict[str, str]:
    """Return the whole environment of a git child that may speak only `scheme`.

    `home` is made if it is missing (mode 0700) and holds the one configuration file that git reads
    beside the repository's own. Nothing of the operator's environment gets in but PATH.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return built_environment(
        HOME=str(home),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL=str(_written(home / "gitconfig", _CONFIG)),
        GIT_ATTR_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
        GIT_ALLOW_PROTOCOL=scheme,  # overrides every protocol.*.allow, the repository's too
        GIT_NO_REPLACE_OBJECTS="1",
        GIT_OPTIONAL_LOCKS="0",
        # A directory that is no repository must not lead git to one that encloses the data.
        GIT_CEILING_DIRECTORIES=str(home.parent),
    )


def _written(path: Path, text: str) -> Path:
    """Make `path` hold `text`, never seen half-written by a git that starts meanwhile."""
    if not path.is_file() or path.read_text() != text:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(text)
        os.replace(file.name, path)  # noqa: PTH105 - a name, not a Path
    return path
