from __future__ import annotations

import os
from pathlib import Path

import pytest

from relightflow.errors import InvalidRecipe
from relightflow.recipe.text import LARGEST, decode, read_bytes


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidRecipe) as caught:
        decode(data, "r.yaml")
    return str(caught.value)


def test_a_byte_order_mark_at_the_start_is_passed_over() -> None:
    assert decode(b"\xef\xbb\xbfa: 1", "r.yaml") == "a: 1"


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_other_unicode_encodings_are_named(code: str) -> None:
    assert refusal("version: 1".encode(code)) == "r.yaml: is UTF-16 or UTF-32; save it as UTF-8"


def test_a_byte_that_is_not_utf_8_is_shown_with_line_and_column() -> None:
    assert refusal("ä: 1\r\nö: \udcff".encode("utf-8", "surrogateescape")).startswith(
        "r.yaml:2:4: the byte 0xff is not UTF-8"
    )


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x7f", "\x85", "\u2028", "\ufeff", "\uffff"])
def test_a_character_that_yaml_does_not_print_is_refused_where_it_stands(sign: str) -> None:
    told = refusal(f"a: 1\nb: {sign}".encode())
    assert told == f"r.yaml:2:4: the character U+{ord(sign):04X} is not allowed in a recipe"


def test_a_mebibyte_is_the_largest_file(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(b"#" * LARGEST)
    assert len(decode(read_bytes(path), "r.yaml")) == LARGEST
    path.write_bytes(b"#" * (LARGEST + 1))
    assert "larger than 1 MiB" in refusal(read_bytes(path))


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)
    assert len(read_bytes(path)) == LARGEST + 1


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "r.yaml")
    with pytest.raises(InvalidRecipe, match="is not a regular file"):
        read_bytes(tmp_path / "r.yaml")


@pytest.mark.parametrize("name", ["missing.yaml", ".", "a/b.yaml", "x" * 300, "a\0b"])
def test_what_cannot_be_opened_is_a_problem_of_the_recipe(name: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(InvalidRecipe) as caught:
        read_bytes(tmp_path / name)
    assert caught.value.problems[0].line == 0
    assert "\0" not in str(caught.value)
