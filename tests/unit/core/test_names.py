import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.decide.names import (
    MAX_APP,
    MAX_LABEL,
    MAX_SLUG,
    MIN_SLUG,
    branch_app,
    branch_label,
    deployment_label,
    line_app,
    line_label,
    project_of,
    slug_candidates,
)
from bot.core.model.ids import (
    AppName,
    AppSlug,
    Branch,
    DeploymentId,
    PullNumber,
    RepoName,
    Repository,
    RepositoryId,
)
from bot.core.model.lines import BranchLine, PullLine, line_of, name_of, ref_of

SLUG = AppSlug("hello")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def repository(name: str = "octo/hello", number: int = 7) -> Repository:
    return Repository(id=RepositoryId(number), name=RepoName(name), default_branch=Branch("main"))


def label(branch: str, number: int = 7) -> str:
    return branch_label(SLUG, repository(number=number), Branch(branch))


def test_a_plain_branch_keeps_its_name() -> None:
    assert label("main") == "hello--main"
    assert label("fix-123") == "hello--fix-123"


@pytest.mark.parametrize(
    "branch",
    ["feature/x", "Main", "a--b", "-a", "a_b", "pr-7", "--upload-pack=touch x", "../../x", "a;b"],
)
def test_a_branch_that_loses_information_gets_a_hash(branch: str) -> None:
    assert re.fullmatch(r"hello--(?:[a-z0-9-]+-)?[a-z2-7]{10}", label(branch))


def test_branches_that_look_alike_get_different_labels() -> None:
    branches = ["feature/x", "feature-x", "Feature/x", "feature//x", "feature_x"]

    assert len({label(branch) for branch in branches}) == len(branches)


def test_a_branch_of_emoji_only_is_its_hash() -> None:
    assert re.fullmatch(r"hello--[a-z2-7]{10}", label("🎉"))


def test_the_hash_depends_on_the_repository() -> None:
    assert label("a/b", number=1) != label("a/b", number=2)


def test_a_label_does_not_change_between_versions() -> None:
    # Bookmarks and links in old comments point here.
    assert label("feature/hello-world") == "hello--feature-hello-world-ddh4y7lvl6"


@given(st.text(min_size=1, max_size=250))
def test_every_branch_has_one_dns_label(branch: str) -> None:
    made = label(branch)

    assert len(made) <= MAX_LABEL
    assert LABEL.fullmatch(made)
    assert made == label(branch)


def test_the_repository_name_is_the_first_choice_of_a_slug() -> None:
    assert slug_candidates(repository(), AppName(""))[:2] == ("hello", "octo-hello")


def test_an_app_of_a_monorepo_adds_its_name() -> None:
    assert slug_candidates(repository(), AppName("docs"))[0] == "hello-docs"


@given(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,38}/[A-Za-z0-9_.-]{1,60}", fullmatch=True),
    st.text(max_size=30),
)
def test_every_slug_can_stand_in_a_label_and_never_reads_as_another(name: str, app: str) -> None:
    for slug in slug_candidates(repository(name), AppName(app)):
        assert MIN_SLUG <= len(slug) <= MAX_SLUG
        assert LABEL.fullmatch(slug)
        assert "--" not in slug
        assert "-d-" not in slug


def test_the_last_slug_is_unique_to_its_repository() -> None:
    first, second = repository("a/x", 1), repository("b/x", 2)

    assert slug_candidates(first, AppName(""))[-1] != slug_candidates(second, AppName(""))[-1]


def test_a_deployment_has_a_label_of_its_own() -> None:
    assert deployment_label(SLUG, DeploymentId("abc123def456")) == "hello-d-abc123def456"


def app_of(branch: str, slug: str = "hello", number: int = 7) -> str:
    return branch_app(AppSlug(slug), repository(number=number), Branch(branch))


def test_a_branchs_own_app_is_named_like_its_label() -> None:
    assert app_of("main") == label("main")


@given(st.text(min_size=1), st.from_regex(r"[a-z][a-z0-9]{2,23}", fullmatch=True))
def test_a_branchs_own_app_always_fits_denos_rule(branch: str, slug: str) -> None:
    name = app_of(branch, slug)

    assert re.fullmatch(r"(?!..--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])", name)
    assert len(name) <= MAX_APP


def test_long_names_keep_branches_repositories_and_apps_apart() -> None:
    long = "a" * 24
    names = {
        app_of("feature/x", long),
        app_of("feature-x", long),
        app_of("feature/x", long, number=8),
        app_of("feature/x", "a" * 23 + "b"),
    }

    assert len(names) == 4


def test_a_pull_request_of_a_fork_has_its_number_for_a_label() -> None:
    assert line_label(SLUG, repository(), PullLine(PullNumber(7))) == "hello--pr-7"
    assert line_label(SLUG, repository(), BranchLine(Branch("main"))) == "hello--main"


@given(branch=st.text(min_size=1), pull=st.integers(1, 2**63 - 1))
def test_no_branch_can_have_the_label_or_the_app_of_a_pull_request(branch: str, pull: int) -> None:
    line, fork = BranchLine(Branch(branch)), PullLine(PullNumber(pull))

    assert line_label(SLUG, repository(), line) != line_label(SLUG, repository(), fork)
    assert line_app(SLUG, repository(), line) != line_app(SLUG, repository(), fork)
    assert len(line_label(AppSlug("x" * MAX_SLUG), repository(), fork)) <= MAX_LABEL
    assert len(line_app(AppSlug("x" * MAX_SLUG), repository(), fork)) <= MAX_APP


def test_branches_share_a_project_and_a_fork_has_its_own() -> None:
    assert project_of(SLUG, repository(), BranchLine(Branch("dev"))) == SLUG
    assert project_of(SLUG, repository(), PullLine(PullNumber(7))) == "hello--pr-7"


@given(st.one_of(st.builds(BranchLine, st.text(min_size=1)), st.builds(PullLine, st.integers(1))))
def test_a_line_is_found_by_its_ref(line: BranchLine | PullLine) -> None:
    assert line_of(ref_of(line)) == line


@pytest.mark.parametrize("ref", ["refs/tags/v1", "refs/pull/x/head", "refs/pull/7/merge", "main"])
def test_other_refs_are_no_lines(ref: str) -> None:
    with pytest.raises(ValueError, match="neither a branch nor"):
        line_of(ref)


def test_a_line_has_the_name_that_people_use() -> None:
    assert name_of(BranchLine(Branch("feature/x"))) == "feature/x"
    assert name_of(PullLine(PullNumber(7))) == "#7"
