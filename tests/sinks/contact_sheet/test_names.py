from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relightflow.model.image import Image
from relightflow.sinks.contact_sheet.names import names


def image(name: str, sha256: str = "ab" * 32, source: int = 0) -> Image:
    return Image(name, sha256, 1, 8, 6, "image/png", source, name)


def test_an_unsafe_stem_is_made_safe() -> None:
    (name,) = names([image("x/a\x1b[31m:b\n.jpg")]).values()
    assert name == "a_[31m_b_"


def test_an_image_is_named_by_its_stem() -> None:
    assert names([image("a/x.jpg"), image("a/y.jpg")]) == {("a/x.jpg", 0): "x", ("a/y.jpg", 0): "y"}


def test_stems_that_meet_also_by_case_are_told_apart_by_hash_and_then_by_place() -> None:
    one, two = image("a/x.jpg", "11" * 32), image("b/X.jpg", "22" * 32)
    duplicate = image("c/x.jpg", "11" * 32)
    assert list(names([one, two, duplicate]).values()) == [
        "x-11111111",
        "X-22222222",
        "x-11111111-3",
    ]


@given(st.lists(st.tuples(st.sampled_from("abAB"), st.sampled_from("12")), max_size=12))
def test_no_two_images_share_a_name(made: list[tuple[str, str]]) -> None:
    images = [image(f"{n}/{stem}.jpg", sha * 64) for n, (stem, sha) in enumerate(made)]
    given_names = [name.casefold() for name in names(images).values()]
    assert len(set(given_names)) == len(images)
