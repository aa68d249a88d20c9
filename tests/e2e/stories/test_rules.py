"""What follows from what a repository says of itself in its configuration."""

from tests.e2e.stories.world import CONFIG, PAGE, Story, page

MONOREPO = """\
apps:
  - {name: web, root: web, paths: [web]}
  - {name: docs, root: docs, paths: [docs]}
"""
APPS = {"web/index.html": "web\n", "docs/index.html": "docs\n"}


def test_a_branch_that_branches_leaves_out(gh: Story) -> None:
    """Its check is *skipped*, and says by which rule."""
    gh.configure("branches: [main]\n")

    run = gh.wait_for_check(gh.push(None, "dev"), "skipped")

    assert "`branch-not-wanted`" in (run.summary or "")
    assert gh.get("dev").status == 404


def test_a_message_with_skip_preview(gh: Story) -> None:
    """The commit is *skipped*, and what was live stays; so for `[skip ci]`, `[skip deploy]`."""
    live = gh.push()
    gh.wait_for_check(live)

    for marker in ("[skip preview]", "[skip ci]", "[skip deploy]"):
        run = gh.wait_for_check(gh.push(message=f"Words {marker}"), "skipped")
        assert "`skip-marker`" in (run.summary or "")
    assert gh.served("main") == live


def test_locked(gh: Story) -> None:
    """Nothing is deployed; the check gives the reason that stands there."""
    gh.configure("locked: moving house\n")

    run = gh.wait_for_check(gh.push(), "skipped")

    assert "moving house" in f"{run.title}{run.summary}"


def test_mode_label(gh: Story) -> None:
    """A branch is deployed once its pull request has the label."""
    gh.configure("mode: label\n")
    sha = gh.push(None, "dev")
    run = gh.wait_for_check(sha, "skipped")
    pull = gh.open_pull_request("dev")

    gh.label(pull, "preview")

    gh.wait_for_check(sha)
    assert "`label-missing`" in (run.summary or "")
    assert gh.served("pr-1") == sha


def test_mode_command(gh: Story) -> None:
    """A branch is deployed once somebody comments `/preview deploy`."""
    gh.configure("mode: command\n")
    sha = gh.push(None, "dev")
    run = gh.wait_for_check(sha, "skipped")
    pull = gh.open_pull_request("dev")

    gh.comment(pull, "ada", "/preview deploy")

    gh.wait_for_check(sha)
    assert "`command-missing`" in (run.summary or "")


def test_a_draft_where_drafts_is_false(gh: Story) -> None:
    """Its commits are *skipped* until it is ready for review."""
    gh.configure("drafts: false\n")
    gh.wait_for_check(gh.push(None, "dev"))
    pull = gh.open_pull_request("dev", draft=True)
    sha = gh.push(None, "dev")
    run = gh.wait_for_check(sha, "skipped")

    gh.mark_ready(pull)

    gh.wait_for_check(sha)
    assert "`draft`" in (run.summary or "")


def test_a_label_of_skip_labels(gh: Story) -> None:
    """Commits of that pull request are *skipped*."""
    gh.configure("skip-labels: [wip]\n")
    gh.wait_for_check(gh.push(None, "dev"))
    pull = gh.open_pull_request("dev")
    gh.label(pull, "wip")

    run = gh.wait_for_check(gh.push(None, "dev"), "skipped")

    assert "`skip-label`" in (run.summary or "")


def test_several_apps(gh: Story) -> None:
    """Each has a check and URLs of its own."""
    sha = gh.push({CONFIG: MONOREPO, **APPS})

    web = gh.wait_for_check(sha, app="web")
    docs = gh.wait_for_check(sha, app="docs")

    assert gh.world.get(gh.world.url_in(web)).body == b"web\n"
    assert gh.world.get(gh.world.url_in(docs)).body == b"docs\n"


def test_a_push_that_touches_only_one_of_several_apps(gh: Story) -> None:
    """That one is deployed; the checks of the others are *skipped* for their `paths`."""
    both = gh.push({CONFIG: MONOREPO, **APPS})
    gh.wait_for_check(both, app="web")
    gh.wait_for_check(both, app="docs")

    sha = gh.push({"docs/index.html": "more docs\n"})

    gh.wait_for_check(sha, app="docs")
    run = gh.wait_for_check(sha, "skipped", app="web")
    assert "`paths-unchanged`" in (run.summary or "")


def test_a_push_that_leaves_the_app_as_it_is(gh: Story) -> None:
    """What is live serves the new commit too, without a build."""
    files = {CONFIG: "root: site\n", "site/index.html": "site\n"}
    before = gh.push(files)
    gh.wait_for_check(before)

    sha = gh.push({"NOTES.md": "not part of it\n"})

    run = gh.wait_for_check(sha)
    assert run.title == f"Live: unchanged since {before[:7]}, so nothing was built"
    assert gh.served("main") == sha


def test_production_true(gh: Story) -> None:
    """Pushes to the default branch go live under the app's own name as well."""
    sha = gh.push({CONFIG: "production: true\n"})

    gh.wait_for_check(sha)
    gh.wait_for_production(sha)
    assert gh.in_production() == sha


def test_a_mistake_in_the_configuration(gh: Story) -> None:
    """The check fails with an annotation at its line, and the key that was meant."""
    run = gh.wait_for_check(gh.push({CONFIG: "rots: web\n"}), "failure")

    assert [(note["path"], note["start_line"]) for note in run.annotations] == [(CONFIG, 1)]
    assert "did you mean 'root'?" in run.annotations[0]["message"]


def test_a_branch_claims_power_in_its_own_configuration(gh: Story) -> None:
    """It counts as it stands on the default branch; the difference is marked in the check."""
    gh.configure("skip-labels: [wip]\n")

    run = gh.wait_for_check(gh.push({CONFIG: "locked: my turn\n", **page("free")}, "dev"))

    assert gh.get("dev").body == b"free\n"
    assert [note["path"] for note in run.annotations] == [CONFIG]


def test_exclude_or_a_previewignore(gh: Story) -> None:
    """The files that they name are not deployed."""
    ignored = {".previewignore": "*.key\n", "a.key": "1", "notes/a.txt": "2"}

    gh.wait_for_check(gh.push(PAGE | ignored | {CONFIG: "exclude: [notes]\n"}))

    statuses = [gh.world.get(gh.url("main"), path).status for path in ("/a.key", "/notes/a.txt")]
    assert statuses == [404, 404]
    assert gh.get("main").status == 200


def test_more_previews_than_max_previews(gh: Story) -> None:
    """The oldest ends, and its check says so; the default branch is spared."""
    gh.configure("max-previews: 2\n")
    main = gh.push()
    gh.wait_for_check(main)
    oldest = gh.push(None, "oldest")
    gh.wait_for_check(oldest)

    gh.wait_for_check(gh.push(None, "newest"))

    gh.wait_until_gone("oldest")
    assert (gh.wait_for_check(oldest, "neutral").title or "").startswith("Removed: ")
    assert gh.served("main") == main
