"""What sources say about all branches at once."""

from tests.contract.source.places import REPOSITORY, Place


def test_all_branches_are_told_by_their_full_names(place: Place) -> None:
    main = place.commit("main", {"a": b"1"})
    odd = place.commit("Feature/🚀-emoji", {"a": b"2"})
    place.commit("gone", {"a": b"3"})
    place.delete("gone")

    assert place.source.heads(REPOSITORY) == {
        "refs/heads/main": main,
        "refs/heads/Feature/🚀-emoji": odd,
    }
