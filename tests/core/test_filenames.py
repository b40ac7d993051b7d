from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.core.filenames import (
    MOST_PART,
    MOST_PARTS,
    MOST_PATH,
    forbidden_in,
    safe_part,
    safe_path,
    same_place,
)

WILD = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from('/\\.-~ \x00\n\x1b\u202e\u200b\ud800\udcffCONconNULcom1é<>:"|?*ﬁ\u0301K'),
    ),
    max_size=60,
)
LONG = st.builds(lambda text, times: text * times, WILD, st.integers(1, 60))
NAMES = WILD | LONG
DEVICES = ["CON", "nul.png", "Com1.tar.gz", "LPT9", "aux .txt", "prn", "COM¹", "conin$"]


@given(NAMES)
def test_a_safe_path_stays_in_its_folder(name: str) -> None:
    parts = safe_path(name).split("/")
    assert not any(part in {"", ".", ".."} for part in parts)


@given(NAMES)
def test_a_safe_path_has_no_forbidden_character(name: str) -> None:
    path = safe_path(name)
    assert forbidden_in(path) == ()
    assert not {unicodedata.category(c) for c in path} & {"Cc", "Cs", "Zl", "Zp"}


@given(NAMES)
def test_a_safe_path_is_short_enough(name: str) -> None:
    path = safe_path(name)
    assert len(path.encode()) <= MOST_PATH
    assert path.count("/") < MOST_PARTS
    assert all(len(part.encode()) <= MOST_PART for part in path.split("/"))


@given(NAMES)
def test_making_safe_again_changes_nothing(name: str) -> None:
    assert safe_path(safe_path(name)) == safe_path(name)


@given(NAMES)
def test_unicode_forms_of_one_name_are_one_path(name: str) -> None:
    forms = {safe_path(unicodedata.normalize(form, name)) for form in ("NFC", "NFD")}
    assert len(forms) == 1


@given(NAMES)
def test_a_part_begins_and_ends_harmlessly(name: str) -> None:
    for part in safe_path(name).split("/"):
        assert part[0] not in ".- "
        assert part[-1] not in ". "


@pytest.mark.parametrize("device", DEVICES)
def test_a_windows_device_is_no_name(device: str) -> None:
    assert safe_path(f"{device}/{device}") == f"_{device}/_{device}"


@pytest.mark.parametrize("name", ["console.png", "com", "com10", "auxiliary.jpg", "a.con", "nul-1"])
def test_a_name_that_only_looks_like_a_device_stays(name: str) -> None:
    assert safe_path(name) == name


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../etc/passwd", "__/__/etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a//b", "a/b"),
        ("", "_"),
        ("C:\\x", "C__x"),
        ("a\x00b\nc\x1bd", "a_b_c_d"),
        ("gpj\u202egnp.exe", "gpj_gnp.exe"),
        ("-rf", "_rf"),
        (".hidden", "_hidden"),
        ("dot.", "dot_"),
        ("space ", "space_"),
        ("bad\udcff.png", "bad_.png"),
        ("e\u0301.png", "\u00e9.png"),
        ("plain-name_1.png", "plain-name_1.png"),
        ("日本/写真.png", "日本/写真.png"),
    ],
)
def test_what_becomes_of(name: str, path: str) -> None:
    assert safe_path(name) == path


def test_long_names_stay_apart_and_keep_their_extension() -> None:
    one, other = safe_part("é" * 300 + "1.png"), safe_part("é" * 300 + "2.png")
    assert one != other
    assert one.endswith(".png")
    assert len(one.encode()) <= MOST_PART


def test_deep_folders_stay_apart_and_keep_the_file_name() -> None:
    one, other = safe_path("a/" * 400 + "x.png"), safe_path("b/" * 400 + "x.png")
    assert one != other
    assert one.endswith("/x.png")
    assert one.count("/") == 1


@pytest.mark.parametrize(("one", "other"), [("A.png", "a.PNG"), ("É", "e\u0301"), ("ß", "SS")])
def test_case_and_unicode_form_do_not_make_another_place(one: str, other: str) -> None:
    assert same_place(one) == same_place(other)
