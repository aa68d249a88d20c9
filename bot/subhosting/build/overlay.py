"""What v1 sets about modules, turned into files that Deno's command line can name.

Measured with Deno 2.9.8: `--import-map FILE` replaces the imports of deno.json and leaves the rest
of it alone. Compiler options have no flag, and `--config FILE` would hide both the app's deno.json
and its package.json; so for those the materialised deno.json is replaced by one that differs in
`compilerOptions` alone. Deno still finds it by itself, and paths in it mean what they meant.
"""

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from bot.subhosting.build import jsonc
from bot.subhosting.remote import is_remote
from bot.subhosting.store.settings import Settings

# In the order in which Deno looks for them in a folder.
_CONFIGS = ("deno.json", "deno.jsonc")

# A larger one is left as it is: the search stops the router for as long as it takes.
_MAX_CONFIG_BYTES = 256 * 1024

_EMPTY_MAP = "empty_import_map.json"
_LOCK = "deno.lock"


def lay_over(settings: Settings, source: Path, entry_point: str, folder: Path) -> None:
    """Put the settings' files in place: `folder` is ours, `source` holds the app's files.

    Harmless to repeat. The app's own files are links to blobs: they are replaced, never written.
    """
    if settings.compiler_options is not None:
        _set_compiler_options(source, entry_point, settings.compiler_options)
    if settings.import_map == "" or settings.lock_file:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / _EMPTY_MAP).write_bytes(b'{"imports":{}}')
    if settings.lock_file and not is_remote(settings.lock_file) and not (folder / _LOCK).exists():
        # A copy, because Deno adds what is missing from a lock file.
        draft = folder / f"{_LOCK}.{secrets.token_hex(4)}"
        shutil.copyfile(source / settings.lock_file, draft)
        draft.rename(folder / _LOCK)


def put_lock_file(folder: Path, content: bytes) -> None:
    """Put a lock file that was fetched in place; `folder` is ours."""
    draft = folder / f"{_LOCK}.{secrets.token_hex(4)}"
    draft.write_bytes(content)
    draft.rename(folder / _LOCK)


def import_map(settings: Settings, source: Path, folder: Path) -> Path | str | None:
    """Return the import map to name on the command line, a file or a URL, if any."""
    if settings.import_map is None or is_remote(settings.import_map):
        return settings.import_map
    return source / settings.import_map if settings.import_map else folder / _EMPTY_MAP


def lock_file(settings: Settings, folder: Path) -> Path | None:
    """Return the lock file to name on the command line, if any."""
    return folder / _LOCK if settings.lock_file else None


def with_compiler_options(text: str, options: Mapping[str, Any]) -> bytes | None:
    """Return a deno.json with other compiler options, or None if `text` is no configuration.

    Then it is left as it is, for Deno says best what is wrong with it.
    """
    found = jsonc.document(text)
    if found is None:
        return None
    return orjson.dumps({**found, "compilerOptions": dict(options)})


def _set_compiler_options(source: Path, entry_point: str, options: Mapping[str, Any]) -> None:
    config = _config_of(source, entry_point)
    text = "{}"
    if config.is_file():
        if config.stat().st_size > _MAX_CONFIG_BYTES:
            return
        text = config.read_text(encoding="utf-8", errors="replace")
    changed = with_compiler_options(text, options)
    if changed is not None:
        # Beside a deno.jsonc, a deno.json is the one that Deno reads.
        target = config.with_name(_CONFIGS[0])
        draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
        draft.write_bytes(changed)
        draft.rename(target)


def _config_of(source: Path, entry_point: str) -> Path:
    """Return the configuration that Deno would find: the nearest one above the entry point.

    For an entry point elsewhere that is the one in the folder where Deno runs.
    """
    here = source if is_remote(entry_point) else (source / entry_point).parent
    while True:
        for name in _CONFIGS:
            # A link could lead to a file of another name, which is not ours to replace.
            if (here / name).is_file():
                return here / name
        if here in {source, here.parent}:
            return source / _CONFIGS[0]
        here = here.parent
