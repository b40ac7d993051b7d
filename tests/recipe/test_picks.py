"""A picks file is read strictly, whoever wrote it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from relightflow.errors import InvalidRecipe
from relightflow.model.values import FrozenMap
from relightflow.plugins.registry import load as load_plugins
from relightflow.recipe import load, parse_picks, published, read_picks
from relightflow.recipe.picks import MOST

SHA = "ab" * 32
PICK: dict[str, Any] = {"image_name": "a.jpg", "image_sha256": SHA, "cell": {"light": "left"}}


def document(*picks: object, **more: object) -> dict[str, Any]:
    return {"kind": "picks", "version": 1, "picks": list(picks), **more}


def said(found: object, file: str = "picks.json") -> str:
    data = found if isinstance(found, bytes) else json.dumps(found).encode()
    with pytest.raises(InvalidRecipe) as caught:
        parse_picks(data, file)
    return str(caught.value)


def test_a_pick_has_defaults() -> None:
    (pick,) = parse_picks(json.dumps(document(PICK)).encode(), "p.json").entries
    assert (pick.image_name, pick.image_sha256) == ("a.jpg", SHA)
    assert pick.cell == {"light": "left"}
    assert (pick.repeat, pick.verdict, pick.stars, pick.note) == (0, "pick", 0, "")


def test_only_picks_are_chosen() -> None:
    rejected = {**PICK, "verdict": "reject", "cell": {"light": "right"}}
    found = parse_picks(json.dumps(document(PICK, rejected)).encode(), "p.json")
    assert len(found.entries) == 2
    assert [pick.cell for pick in found.chosen] == [{"light": "left"}]


WRONG: list[tuple[object, str]] = [
    (b"{", "picks.json:1:2: is not valid JSON"),
    (b"\xff", "is not UTF-8"),
    (b"[" * 100_000, "nested too deep"),
    (b'{"kind": "picks", "kind": "picks"}', "'kind' is given twice"),
    (b'{"kind": "picks", "x": NaN}', "NaN is not a JSON value"),
    ([], 'it has no "kind": "picks"'),
    ({"kind": "summary"}, 'it has no "kind": "picks"'),
    (document(version=2), "newer format 2; upgrade relightflow"),
    (document(version=True), "version: must be 1"),
    ({"kind": "picks", "version": 1, "picks": {}}, "picks: must be a list"),
    (document(5), "picks[0]: must be an object"),
    (document({"cell": {}}), "picks[0]: names no image"),
    (document({**PICK, "image_sha256": "AB" * 32}), "image_sha256: must be 64 hex digits"),
    (document({"image_name": "a.jpg"}), "picks[0].cell: must map each parameter to one value"),
    (document({**PICK, "cell": {"light": None}}), "cell: must map"),
    (document({**PICK, "cell": {"light": ["left"]}}), "cell: must map"),
    (document({**PICK, "repeat": -1}), "repeat: must be an integer from 0"),
    (document({**PICK, "repeat": True}), "repeat: must be an integer"),
    (document({**PICK, "stars": 6}), "stars: must be an integer from 0 to 5"),
    (document({**PICK, "verdict": "maybe"}), "verdict: must be one of pick, reject, none"),
    (document({**PICK, "note": 1}), "note: must be a text"),
    (document({**PICK, "verdikt": "pick"}), "picks[0].verdikt: is not a known field"),
    (document({**PICK, "verdikt": "pick"}), "did you mean 'verdict'?"),
    (document(PICK, {**PICK, "verdict": "reject"}), "picks[1]: says reject, and picks[0] says pick"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "words"), WRONG)
def test_what_is_wrong_is_said(found: object, words: str) -> None:
    assert words in said(found)


def test_all_problems_are_told_up_to_twenty() -> None:
    lines = said(document(*[{"cell": {}}] * 50)).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "picks.json: and 30 more problems"


def test_too_many_picks_are_refused() -> None:
    assert f"at most {MOST:,}" in said(document(*[0] * (MOST + 1)))


def test_the_published_schema_agrees() -> None:
    schema = jsonschema.Draft7Validator(published("picks"))
    assert schema.is_valid(document({**PICK, "x-mine": 1, "repeat": 2, "stars": 5}))
    for found, _ in WRONG:
        if isinstance(found, dict) and "says reject" not in _:
            assert not schema.is_valid(found), found


def test_a_table_is_read_as_text() -> None:
    text = "image,light,n,parameter_note,verdict,stars,note\r\na.jpg,left,1,x,pick,3,'=so\r\n\r\n"
    found = parse_picks(text.encode(), "p.csv")
    assert found.texts
    (pick,) = found.entries
    assert pick.cell == FrozenMap({"light": "left", "n": "1", "note": "x"})
    assert (pick.image_name, pick.stars, pick.note, pick.where) == ("a.jpg", 3, "=so", "line 2")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("light\nleft\n", "has no column 'image' or 'image_sha256'"),
        ("image,image\na,b\n", "two columns of the same name"),
        ("image,light\na.jpg\n", "line 2: has 1 fields, and the first line has 2"),
        ("image,stars\na.jpg,many\n", "line 2.stars: must be an integer"),
        ('image\n"a.jpg\n', "is not valid CSV"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(text: str, words: str) -> None:
    assert words in said(text.encode(), "p.csv")


def test_a_pipe_never_blocks(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.json")
    with pytest.raises(InvalidRecipe, match="is not a regular file"):
        read_picks(tmp_path / "p.json")
    with pytest.raises(InvalidRecipe, match="file not found"):
        read_picks(tmp_path / "q.json")


RECIPE = """\
version: 1
name: spring
sources: [{{type: glob, include: ["*.png"]}}]
picks: {picks}
sinks: [{{type: directory, path: out/}}]
"""


def test_a_recipe_names_its_picks_and_reads_only_in_its_project(tmp_path: Path) -> None:
    registry = load_plugins()
    recipe = tmp_path / "inner/r.yaml"
    recipe.parent.mkdir()
    (tmp_path / "inner/p.json").write_text(json.dumps(document(PICK)))
    (tmp_path / "outside.json").write_text(json.dumps(document(PICK)))
    (tmp_path / "inner/link.json").symlink_to(tmp_path / "outside.json")

    def read(picks: str) -> str:
        recipe.write_text(RECIPE.format(picks=picks))
        try:
            found = load(recipe, registry).picks
        except InvalidRecipe as error:
            return str(error)
        assert found
        return found.sha256

    assert len(read("p.json")) == 64
    assert "r.yaml:4:1: picks:" in read("gone.json")
    assert "file not found" in read("gone.json")
    assert "leads out of the recipe's folder" in read("../outside.json")
    assert "cannot be read" in read("link.json")
    (tmp_path / ".git").mkdir()
    assert len(read("../outside.json")) == 64
    (tmp_path / "inner/p.json").write_text(json.dumps(document(5)))
    assert "inner/p.json: picks[0]: must be an object" in read("p.json")
