from __future__ import annotations

import pytest

from relightflow.sources.listing import Listing
from relightflow.sources.patterns import Patterns

PATHS = ("a/left.png", "a/right.png", "b/left.png", "cover.jpg")


def told(
    *include: str, exclude: tuple[str, ...] = (), paths: tuple[str, ...] = PATHS
) -> tuple[list[str], list[str]]:
    """The paths that are meant, and what is said of the patterns."""
    listing = Listing(Patterns(include), Patterns(exclude, hidden=True), include, "images")
    return [path for path in paths if listing.means(path)], list(listing.unmatched())


@pytest.mark.parametrize(
    ("include", "exclude", "meant"),
    [
        (["*"], [], ["cover.jpg"]),
        (["**"], [], list(PATHS)),
        (["*/left.png"], ["b"], ["a/left.png"]),
        (["**/*.png"], ["*/right*"], ["a/left.png", "b/left.png"]),
    ],
)
def test_patterns_mean_what_they_mean_for_files(
    include: list[str], exclude: list[str], meant: list[str]
) -> None:
    assert told(*include, exclude=tuple(exclude)) == (meant, [])


def test_a_pattern_that_stays_above_the_folders_is_told_with_the_one_that_does_not() -> None:
    assert told("*", paths=PATHS[:3]) == (
        [],
        [
            "'*' matches none of the 3 images, which are in folders: write '**/*' for those in any folder"
        ],
    )


def test_of_other_patterns_it_is_told_which_folders_there_are() -> None:
    _, (said,) = told("c/*.png", "c/*.jpg", "*.jpg")
    assert said == (
        "'c/*.png' (and 1 more of this folder) matches none of the 4 images, which are in the folders a/, b/"
    )
    assert told("*.gif", paths=("a.png",))[1] == ["'*.gif' matches none of the 1 images"]


def test_what_exclude_takes_out_is_told_apart() -> None:
    assert told("b/*", exclude=("b",))[1] == ["'b/*' matches only what 'exclude' takes out"]


def test_a_backslash_is_no_folder() -> None:
    assert told("a\\*")[1][0].endswith(": write '/' between folders, not '\\'")


def test_an_empty_listing_is_called_so() -> None:
    assert told("*", paths=()) == ([], ["'*' matches nothing: there are no images"])


def test_of_what_the_recipe_does_not_write_nothing_is_said() -> None:
    listing = Listing(Patterns(["*.jpg"]), Patterns([]), (), "images")
    assert not listing.means("a/b.jpg")
    assert not list(listing.unmatched())
