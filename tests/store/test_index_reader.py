from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import StorageError
from relightflow.store.blobs import INDEX
from relightflow.store.index_reader import START, read_since


def append(root: Path, *entries: Any, end: str = "\n") -> None:
    lines = [one if isinstance(one, str) else json.dumps(one) for one in entries]
    with (root / INDEX).open("a") as file:
        file.write("\n".join(lines) + end)


def entry(name: str) -> dict[str, str]:
    return {"key": name, "sha256": "s" * 64}


def keys(root: Path, since: Any = START) -> list[str]:
    return [found["key"] for found in read_since(root, since).entries]


def test_only_what_came_since_is_read(tmp_path: Path) -> None:
    append(tmp_path, entry("one"), entry("two"))
    first = read_since(tmp_path, START)
    assert (first.whole, len(first.entries)) == (True, 2)
    assert first.end.offset == (tmp_path / INDEX).stat().st_size
    append(tmp_path, entry("three"))
    second = read_since(tmp_path, first.end)
    assert (second.whole, [one["key"] for one in second.entries]) == (False, ["three"])
    assert read_since(tmp_path, second.end).entries == ()


def test_a_line_that_is_being_written_is_left_for_the_next_time(tmp_path: Path) -> None:
    append(tmp_path, entry("one"))
    append(tmp_path, '{"key": "two", "sha', end="")
    first = read_since(tmp_path, START)
    assert [one["key"] for one in first.entries] == ["one"]
    append(tmp_path, '256": "x"}')
    assert keys(tmp_path, first.end) == ["two"]


@pytest.mark.parametrize("kind", ["cut", "replaced", "edited"])
def test_an_index_that_is_another_one_is_read_as_a_whole(tmp_path: Path, kind: str) -> None:
    append(tmp_path, entry("one"), entry("two"))
    end = read_since(tmp_path, START).end
    whole = (tmp_path / INDEX).read_text()
    changed = {
        "cut": whole[: len(whole) // 2] + "\n",
        "replaced": whole.replace("one", "six") + whole,
        "edited": whole.replace('"two"', '"owt"'),
    }[kind]
    (tmp_path / INDEX).write_text(changed)
    part = read_since(tmp_path, end)
    assert part.whole
    assert len(part.entries) == {"cut": 1, "replaced": 4, "edited": 2}[kind]


def test_a_change_far_before_the_position_is_not_looked_for(tmp_path: Path) -> None:
    append(tmp_path, entry("one"), *(entry(f"k{n}") for n in range(100)))
    end = read_since(tmp_path, START).end
    text = (tmp_path / INDEX).read_text()
    (tmp_path / INDEX).write_text(text.replace('"one"', '"eno"'))
    assert not read_since(tmp_path, end).whole, "only the last 4,096 bytes are compared"


def test_damaged_lines_are_counted_and_empty_ones_are_not(tmp_path: Path) -> None:
    append(tmp_path, entry("one"), "", "junk", "[1]", '{"key": "x"}', '{"key": "\\ud800"', "")
    append(tmp_path, entry("two"))
    part = read_since(tmp_path, START)
    assert ([one["key"] for one in part.entries], part.nonsense) == (["one", "two"], 4)


def test_where_no_index_is_there_is_nothing(tmp_path: Path) -> None:
    part = read_since(tmp_path / "none", START)
    assert (part.entries, part.end, part.whole, part.nonsense) == ((), START, True, 0)


def test_an_index_that_cannot_be_read_stops_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / INDEX).mkdir()
    with pytest.raises(StorageError, match=r"cannot be read .*; nothing was sent"):
        read_since(tmp_path, START)
