"""What every source promises about the part of a tree that is taken."""

import pytest

from bot.core.model.errors import TreeRefused
from bot.core.model.manifest import FileAsset, Manifest, SymlinkAsset
from bot.core.model.selection import Selection
from bot.kernel.git_hash import blob_sha1
from bot.ports.source import KnownManifest
from tests.contract.source.places import REPOSITORY, Place
from tests.fakes.source import Executable, Files, Submodule

APP = Selection(root="apps/site")

MONOREPO: Files = {
    ".gitattributes": b"*.psd export-ignore\n",
    "readme.md": b"about all",
    "apps/other/main.ts": b"another",
    "apps/site/main.ts": b"ours",
    "apps/site/assets/logo.png": b"png",
    "apps/site/assets/logo.psd": b"psd",
    "apps/site/notes/plan.md": b"secret plans",
    "apps/site/.previewignore": b"notes/\n",
    "apps/site-2/main.ts": b"not ours",
}


def manifest_of(place: Place, files: Files, selection: Selection) -> Manifest:
    commit = place.commit("main", files)
    place.source.fetch(REPOSITORY, commit)
    return place.source.manifest(REPOSITORY, commit, selection=selection)


def test_an_app_is_what_lies_below_its_root(any_place: Place) -> None:
    manifest = manifest_of(any_place, MONOREPO, APP)

    assert set(manifest.assets) == {".previewignore", "main.ts", "assets/logo.png"}
    contents = dict(any_place.source.blobs(REPOSITORY, manifest.blobs()))
    main = manifest.assets["main.ts"]
    assert isinstance(main, FileAsset)
    assert contents[main.sha1] == b"ours"


def test_the_lists_of_the_selection_choose(any_place: Place) -> None:
    selection = Selection(
        root="apps",
        include=("**/*.ts", "**/assets/**"),
        exclude=("**", "!{site,site-2}/**", "**/*.psd"),
    )

    manifest = manifest_of(any_place, MONOREPO, selection)

    assert set(manifest.assets) == {"site/main.ts", "site/assets/logo.png", "site-2/main.ts"}


def test_a_link_to_a_file_that_is_taken_away_leads_nowhere(any_place: Place) -> None:
    files: Files = {
        "main.ts": b"x",
        "link": SymlinkAsset("private/key"),
        "private/key": b"a key",
        "private/link": SymlinkAsset("/etc/passwd"),  # not deployed, so it does no harm
    }

    manifest = manifest_of(any_place, files, Selection(exclude=("private",)))

    assert set(manifest.assets) == {"main.ts", "link"}
    assert blob_sha1(b"a key") not in manifest.blobs()


def test_a_link_out_of_the_apps_folder_is_refused_by_its_whole_path(any_place: Place) -> None:
    files: Files = {"shared/x": b"x", "app/main.ts": b"m", "app/l": SymlinkAsset("../shared/x")}

    with pytest.raises(TreeRefused, match="symbolic link that leads out") as refusal:
        manifest_of(any_place, files, Selection(root="app"))

    assert refusal.value.path == "app/l"


@pytest.mark.parametrize(
    ("files", "root"),
    [
        ({"main.ts": b"x"}, "app"),
        ({"app": b"a file"}, "app"),
        ({"app": SymlinkAsset("real"), "real/main.ts": b"x"}, "app"),
        ({"real/sub/main.ts": b"x", "app": SymlinkAsset("real")}, "app/sub"),
        ({"main.ts": b"x"}, "../outside"),
        ({"main.ts": b"x"}, "/etc"),
        ({"main.ts": b"x"}, "a//b"),
        ({"main.ts": b"x"}, "*"),
        ({"main.ts": b"x"}, ":(top)"),
    ],
)
def test_a_root_that_is_no_folder_is_refused_by_name(
    any_place: Place, files: Files, root: str
) -> None:
    with pytest.raises(TreeRefused) as refusal:
        manifest_of(any_place, files, Selection(root=root))

    assert refusal.value.path == root


def test_an_odd_root_is_only_a_name(any_place: Place) -> None:
    files: Files = {"[a-z]*: --x/main.ts": b"ours", "b/main.ts": b"not ours"}

    assert set(manifest_of(any_place, files, Selection(root="[a-z]*: --x")).assets) == {"main.ts"}


def test_a_previewignore_that_is_a_link_says_nothing(any_place: Place) -> None:
    files: Files = {".previewignore": SymlinkAsset("list"), "list": b"*\n", "main.ts": b"x"}

    manifest = manifest_of(any_place, files, Selection())

    assert set(manifest.assets) == {".previewignore", "list", "main.ts"}


@pytest.mark.parametrize("path", ["apps/site/.previewignore", ".gitattributes"])
def test_rules_of_absurd_size_are_refused_by_name(any_place: Place, path: str) -> None:
    with pytest.raises(TreeRefused, match="bytes") as refusal:
        manifest_of(any_place, {**MONOREPO, path: b"#" * 1_100_000}, APP)

    assert refusal.value.path == path


def test_a_submodule_that_is_taken_away_needs_no_warning(place: Place) -> None:
    files: Files = {"main.ts": b"x", "vendor/lib": Submodule()}

    assert manifest_of(place, files, Selection(exclude=("vendor/",))).left_out == ()


BEFORE: Files = {
    ".gitattributes": b"*.psd export-ignore\n",
    "app/.previewignore": b"*.md\n!keep.md\n",
    "app/sub/.gitattributes": b"*.raw export-ignore\n",
    "app/main.ts": b"1",
    "app/a.md": b"no part of it",
    "app/keep.md": b"but this is",
    "app/sub/x.raw": b"no part",
    "app/sub/y.txt": b"y",
    "app/private/key": b"k",
    "app/link": SymlinkAsset("private/key"),
    "outside/main.ts": b"o",
}

WITHOUT_SUB = {path: file for path, file in BEFORE.items() if not path.startswith("app/sub/")}

AFTER: list[Files] = [
    {**BEFORE, "app/main.ts": b"2"},
    {**BEFORE, "outside/main.ts": b"2"},
    {**BEFORE, "app/a.md": b"2", "app/new.md": b"n"},
    {**BEFORE, "app/new/keep.md": b"n", "app/new/b.psd": b"n"},
    {**BEFORE, "app/sub/new.raw": b"n", "app/new.raw": b"n"},
    {**BEFORE, "app/private/other": b"n", "app/link": SymlinkAsset("main.ts")},
    {**BEFORE, "app/.previewignore": b""},
    {**BEFORE, "app/.previewignore": b"sub/\n"},
    {path: file for path, file in BEFORE.items() if path != "app/.previewignore"},
    {**BEFORE, ".previewignore": b"*\n"},
    {**BEFORE, ".gitattributes": b"*.txt export-ignore\n"},
    {**BEFORE, "app/.gitattributes": b"keep.md export-ignore\n"},
    {**BEFORE, "app/sub/.gitattributes": b""},
    {path: file for path, file in BEFORE.items() if path != "app/sub/.gitattributes"},
    WITHOUT_SUB,
    {**WITHOUT_SUB, "app/sub": b"now a file"},
    {**BEFORE, "app/keep.md": Executable(b"but this is")},
]

SELECTIONS = [
    Selection(root="app", exclude=("private",)),
    Selection(root="app", include=("**/*.{ts,md}", "sub")),
    Selection(exclude=("outside", "!outside/main.ts")),
]


@pytest.mark.parametrize("selection", SELECTIONS, ids=["exclude", "include", "whole"])
@pytest.mark.parametrize("after", AFTER)
def test_a_patched_manifest_is_the_same_as_a_full_one(
    place: Place, after: Files, selection: Selection
) -> None:
    first = place.commit("main", BEFORE)
    place.source.fetch(REPOSITORY, first)
    before = place.source.manifest(REPOSITORY, first, selection=selection)
    known = KnownManifest(commit=first, manifest=before, selection=selection)
    second = place.commit("main", after)
    place.source.fetch(REPOSITORY, second)

    patched = place.source.manifest(REPOSITORY, second, known, selection=selection)

    assert patched == place.source.manifest(REPOSITORY, second, selection=selection)
    assert dict(place.source.blobs(REPOSITORY, patched.blobs())).keys() == patched.blobs()


@pytest.mark.parametrize("gone", [{"main.ts": b"x"}, {"app": b"now a file"}])
def test_a_root_that_was_deleted_is_refused_by_name(place: Place, gone: Files) -> None:
    selection = SELECTIONS[0]
    first = place.commit("main", BEFORE)
    place.source.fetch(REPOSITORY, first)
    before = place.source.manifest(REPOSITORY, first, selection=selection)
    known = KnownManifest(commit=first, manifest=before, selection=selection)
    second = place.commit("main", gone)
    place.source.fetch(REPOSITORY, second)

    with pytest.raises(TreeRefused, match=r"'app' is to be the app's folder|'app' is no folder"):
        place.source.manifest(REPOSITORY, second, known, selection=selection)


def test_a_manifest_of_another_selection_is_no_use_and_no_harm(place: Place) -> None:
    commit = place.commit("main", MONOREPO)
    place.source.fetch(REPOSITORY, commit)
    known = KnownManifest(commit=commit, manifest=place.source.manifest(REPOSITORY, commit))

    manifest = place.source.manifest(REPOSITORY, commit, known, selection=APP)

    assert manifest == place.source.manifest(REPOSITORY, commit, selection=APP)
    assert "main.ts" in manifest.assets
