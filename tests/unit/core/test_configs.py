from dataclasses import replace

from bot.core.decide.configs import counting
from bot.core.model.config import (
    AppConfig,
    ConfigFile,
    Counting,
    ForkPolicy,
    KeyPath,
    Mistaken,
    Mode,
    Place,
    Production,
    Recipe,
    RepositoryConfig,
    Rules,
)
from bot.core.model.ids import AppName
from bot.core.model.outcomes import Annotation, Severity

PATH = ".github/previewbot.yml"
WEB, DOCS = AppName("web"), AppName("docs")
WRONG = Annotation(path=PATH, line=3, message="there is no key 'rots'")


def file(config: RepositoryConfig, *keys: KeyPath) -> ConfigFile:
    """Return a right file; key n of `keys` stands in line n."""
    places = {steps: Place(line=line, column=1) for line, steps in enumerate(keys, start=1)}
    return ConfigFile(path=PATH, config=config, places=places)


def wrong() -> ConfigFile:
    return ConfigFile(path=PATH, config=None, problems=(WRONG,))


def one(app: AppConfig) -> RepositoryConfig:
    return RepositoryConfig(apps=(app,))


def several(*names: AppName) -> RepositoryConfig:
    return RepositoryConfig(apps=tuple(AppConfig(name=name) for name in names))


def test_without_a_file_the_defaults_count() -> None:
    assert counting(None, None) == Counting(config=RepositoryConfig())


def test_on_the_default_branch_all_of_the_file_counts() -> None:
    config = replace(one(AppConfig(production=Production())), lfs=True)
    same = file(config)

    assert counting(same, same) == Counting(config=config)


def test_a_commit_without_a_file_takes_the_default_branchs() -> None:
    config = one(AppConfig(recipe=Recipe(root="web")))

    assert counting(file(config), None) == Counting(config=config)


def test_a_commits_recipe_counts_as_a_whole() -> None:
    trusted = one(AppConfig(recipe=Recipe(build="make", root="web"), rules=Rules(bots=False)))
    own = one(AppConfig(recipe=Recipe(entrypoint="x.ts"), rules=Rules(bots=False)))

    assert counting(file(trusted), file(own)) == Counting(config=own)


def test_power_in_a_commits_file_has_no_effect_and_is_remarked() -> None:
    trusted = RepositoryConfig()
    own = replace(
        one(
            AppConfig(
                rules=Rules(mode=Mode.MANUAL, locked="me"), production=Production(), target="x"
            )
        ),
        forks=ForkPolicy.NEVER,
        lfs=True,
    )
    keys: tuple[KeyPath, ...] = (
        ("mode",),
        ("locked",),
        ("production",),
        ("target",),
        ("forks",),
        ("lfs",),
    )

    found = counting(file(trusted), file(own, *keys))

    assert isinstance(found, Counting)
    assert found.config == trusted
    assert {remark.line for remark in found.remarks} == {1, 2, 3, 4, 5, 6}
    assert {remark.severity for remark in found.remarks} == {Severity.NOTICE}
    assert found.remarks[0].message == "forks: counts as it stands on the default branch"


def test_a_first_file_on_a_branch_gives_its_recipe_only() -> None:
    own = one(AppConfig(recipe=Recipe(root="web"), production=Production()))

    found = counting(None, file(own, ("production",)))

    assert isinstance(found, Counting)
    assert found.config == one(AppConfig(recipe=Recipe(root="web")))
    assert len(found.remarks) == 1


def test_an_app_that_only_a_branch_has_waits_for_the_default_branch() -> None:
    own = several(WEB, DOCS)

    found = counting(
        file(several(WEB)), file(own, ("apps",), ("apps", 0, "name"), ("apps", 1, "name"))
    )

    assert isinstance(found, Counting)
    assert [app.name for app in found.config.apps] == [WEB]
    assert [(remark.line, remark.message) for remark in found.remarks] == [
        (3, "the app 'docs' is not on the default branch; it counts once it is there")
    ]


def test_an_app_that_a_branch_lacks_keeps_its_recipe() -> None:
    trusted = RepositoryConfig(
        apps=(AppConfig(name=WEB), AppConfig(name=DOCS, recipe=Recipe(root="docs")))
    )

    assert counting(file(trusted), file(several(WEB))) == Counting(config=trusted)


def test_a_key_of_an_app_is_remarked_where_it_stands() -> None:
    trusted = several(WEB)
    own = RepositoryConfig(apps=(AppConfig(name=WEB, rules=Rules(skip_labels=("x",))),))

    found = counting(file(trusted), file(own, ("apps",), ("apps", 0, "skip-labels")))

    assert isinstance(found, Counting)
    assert [(remark.line, remark.message) for remark in found.remarks] == [
        (2, "skip-labels: counts as it stands on the default branch")
    ]


def test_a_wrong_file_is_told_in_the_checks_of_all_known_apps() -> None:
    assert counting(file(several(WEB, DOCS)), wrong()) == Mistaken(
        problems=(WRONG,), in_commit=True, apps=(WEB, DOCS)
    )
    assert counting(None, wrong()) == Mistaken(problems=(WRONG,), in_commit=True)


def test_a_wrong_file_on_the_default_branch_is_not_the_commits_fault() -> None:
    assert counting(wrong(), file(RepositoryConfig())) == Mistaken(
        problems=(WRONG,), in_commit=False
    )
