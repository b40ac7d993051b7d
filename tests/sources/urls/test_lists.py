from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relightflow.core.project import Project
from relightflow.errors import RefusedError, UsageError
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import SourceContext
from relightflow.sources.urls import lists
from relightflow.sources.urls.lists import entries

A, B = "https://example.com/a.jpg", "https://example.com/b.jpg"


def context(folder: Path, project: Project | None = None, **options: Any) -> SourceContext:
    return SourceContext(folder, FrozenMap(options), 0, project=project)


def read(folder: Path, name: str, text: str | bytes) -> list[tuple[str, str, str]]:
    data = text.encode() if isinstance(text, str) else text
    (folder / name).write_bytes(data)
    found = entries(context(folder, file=name))
    return [(entry.url, entry.name, entry.place) for entry in found]


def test_the_recipe_s_own_come_before_those_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(B + "\n")
    found = entries(context(tmp_path, urls=[A], file="list.txt"))
    assert [(e.url, e.place) for e in found] == [(A, "urls[0]"), (B, "list.txt:1")]


def test_text_has_an_address_a_line(tmp_path: Path) -> None:
    text = f"\ufeff# a comment\r\n\r\n  {A}\r\n{B}#part\n"
    assert read(tmp_path, "l.txt", text) == [(A, "", "l.txt:3"), (B + "#part", "", "l.txt:4")]


def test_csv_has_columns_by_name(tmp_path: Path) -> None:
    text = f'# made by hand\nid,name, url\n1,"x, y",{A}\n\n#2,no,{B}\n3,,"{B}"\n'
    assert read(tmp_path, "l.CSV", text) == [
        (A, "x, y", "l.CSV:3"),
        (B, "no", "l.CSV:5"),
        (B, "", "l.CSV:6"),
    ]


def test_json_lines_have_keys(tmp_path: Path) -> None:
    text = f'{{"url": "{A}", "name": "x", "more": [1]}}\n\n# no\n{{"url": "{B}", "name": null}}'
    assert read(tmp_path, "l.jsonl", text) == [(A, "x", "l.jsonl:1"), (B, "", "l.jsonl:4")]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("l.txt", b"https://a\n\xff\n", r"l\.txt:2: not UTF-8"),
        ("l.txt", b"x" * (lists.LONGEST_LINE + 1), r"l\.txt:1: longer than 64 KiB"),
        ("l.csv", "name,link\n", r"l\.csv:1: .*including `url`"),
        ("l.csv", "url,url\n", r"l\.csv:1: duplicate column"),
        ("l.csv", "url,name\nSECRET\n", r"l\.csv:2: it has 1 columns, and the first line has 2"),
        ("l.csv", 'url\n"SECRET" x\n', r"l\.csv:2: not valid CSV"),
        ("l.csv", 'url,name\n"",x\n', r"l\.csv:2: its `url` is empty"),
        ("l.jsonl", '{"url": "SECRET"\n', r"l\.jsonl:1: not a JSON object"),
        ("l.jsonl", '["SECRET"]\n', r"l\.jsonl:1: not a JSON object"),
        ("l.jsonl", '\n{"link": "SECRET"}\n', r"l\.jsonl:2: `url` and `name` must be text"),
        ("l.jsonl", '{"url": "SECRET", "name": 1}\n', r"l\.jsonl:1: `url` and `name` must be text"),
        ("l.jsonl", "[" * 60_000, r"l\.jsonl:1: not a JSON object"),
        ("l.xml", "", r"l\.xml: the name of a URL list must end in \.txt, \.csv, \.jsonl"),
    ],
)
def test_a_list_that_cannot_be_read_is_an_error_with_its_line_and_not_its_text(
    tmp_path: Path, name: str, text: str | bytes, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        read(tmp_path, name, text)
    assert "SECRET" not in str(caught.value)


def test_a_list_outside_the_recipe_s_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x")
    inside = tmp_path / "project"
    inside.mkdir()
    (inside / "l.txt").symlink_to("../secret.txt")
    with pytest.raises(RefusedError, match="symbolic link that leads out of"):
        entries(context(inside, file="l.txt"))


def test_a_list_may_lie_anywhere_in_the_project(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    (tmp_path / "list.txt").write_text(A + "\n")
    (recipes / "linked.txt").symlink_to("../list.txt")
    project = Project.of(recipes)
    for name in ("../list.txt", "linked.txt"):
        (found,) = entries(context(recipes, project, file=name))
        assert found.place == f"{name}:1"
    with pytest.raises(RefusedError, match="leads out of the repository"):
        entries(context(recipes, project, file="../../list.txt"))


def test_a_list_that_is_no_file_is_an_error(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "folder.txt").mkdir()
    for name in ("pipe.txt", "folder.txt", "gone.txt"):
        with pytest.raises(UsageError, match=name):
            entries(context(tmp_path, file=name))


def test_more_than_can_be_held_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST", 2)
    with pytest.raises(UsageError, match="more than 2"):
        read(tmp_path, "l.txt", f"{A}\n" * 3)


def test_an_entry_does_not_print_its_address() -> None:
    assert "SECRET" not in repr(lists.UrlEntry("https://a/?SECRET", "", "l:1"))


@pytest.mark.parametrize(
    ("text", "names", "told"),
    [
        (f"name,url\n#1 hero,{A}\n", ["#1 hero"], []),
        (f"#,url\n#1,{A}\n#2,{B}\n", ["", ""], []),
        (f"# mine\nurl,name\n#{A},x\n# none\n{B},y\n", ["y"], ["3 rows begin with #"]),
        (f"url\n#{A}\n{B}\n", [""], ["1 row begins with #"]),
    ],
)
def test_no_row_of_a_table_is_dropped_without_a_word(
    tmp_path: Path, text: str, names: list[str], told: list[str]
) -> None:
    (tmp_path / "l.csv").write_text(text)
    said: list[str] = []
    found = entries(context(tmp_path, file="l.csv"), said.append)
    assert [entry.name for entry in found] == names
    assert len(said) == len(told)
    for words, part in zip(said, told, strict=True):
        assert words.startswith(f"l.csv: {part}")
