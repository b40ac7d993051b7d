from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from relightflow.core.project import Project
from relightflow.errors import RefusedError
from relightflow.model.catalog import FREE, Model
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import (
    BackendRecord,
    OperatorPolicy,
    SinkContext,
    SinkRecord,
    SourceContext,
    SourceRecord,
    imported,
)


def test_a_factory_by_its_place_is_imported_when_it_is_needed_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = SinkRecord("lazy", "", "lazily_made.parts:Made.of")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "lazily_made").mkdir()
    (tmp_path / "lazily_made/__init__.py").touch()
    code = "class Made:\n    of = staticmethod(lambda context: context.recipe)\n"
    (tmp_path / "lazily_made/parts.py").write_text(code)
    context = SinkContext(tmp_path, FrozenMap(), recipe="spring")
    made: Any = record.make(context)
    assert made == "spring"


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("no_such_package:x", ImportError),
        ("json:no_such_name", AttributeError),
        ("json", AttributeError),
    ],
)
def test_a_place_that_is_none_is_told(place: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        imported(place)


@pytest.mark.parametrize("record", [SourceRecord, SinkRecord])
def test_a_record_without_a_schema_takes_no_option(record: Any) -> None:
    schema = Draft7Validator(record("x", "", "x:y").schema)
    assert schema.is_valid({})
    assert not schema.is_valid({"anything": 1})


def test_a_backend_knows_its_models_by_name() -> None:
    models = (Model("a", (), FREE), Model("b", (), FREE))
    record = BackendRecord("x", "", models, "x:y")
    assert record.model("b") is models[1]
    assert record.model("c") is None


@pytest.mark.parametrize(("layout", "named"), [("files", 1), ("archive", 1), ("aggregate", 0)])
def test_a_sink_that_writes_no_file_an_output_takes_no_names(layout: Any, named: int) -> None:
    assert SinkRecord("x", "", "x:y", layout=layout).takes_names is bool(named)


@pytest.mark.parametrize("context", [SourceContext, SinkContext])
@pytest.mark.parametrize("path", ["../x.png", "/etc/passwd", "a/../../x"])
def test_a_path_stays_within_the_recipes_folder_where_no_project_is_named(
    tmp_path: Path, context: Any, path: str
) -> None:
    made = context(tmp_path, FrozenMap(), "r" if context is SinkContext else 0)
    assert made.place("a/b.png") == tmp_path / "a/b.png"
    with pytest.raises(RefusedError):
        made.place(path)


def test_a_path_may_leave_the_recipes_folder_for_its_project_and_no_further(
    tmp_path: Path,
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "recipes").mkdir()
    folder = tmp_path / "recipes"
    context = SourceContext(folder, FrozenMap(), 0, project=Project.of(folder))
    assert context.place("../photos/a.png") == tmp_path / "photos/a.png"
    with pytest.raises(RefusedError):
        context.place("../../a.png")


def test_a_link_that_leads_out_is_told_with_what_to_do(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    context = SourceContext(inside, FrozenMap(), 0)
    context.check_inside(inside / "a.png", "a.png")
    with pytest.raises(RefusedError, match="copy the file there"):
        context.check_inside(outside / "a.png", "a.png")


def test_the_operator_allows_nothing_unless_he_says_so() -> None:
    policy = OperatorPolicy()
    assert policy == OperatorPolicy(False, (), False, "", True)
