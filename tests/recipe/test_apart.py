from pathlib import Path

import pytest

from relightflow.model.catalog import Model
from relightflow.model.recipe import BackendSpec, Recipe, SinkSpec
from relightflow.model.values import FrozenMap
from relightflow.recipe.apart import apart


def recipe(*sinks: tuple[str, dict[str, str]]) -> Recipe:
    specs = tuple(SinkSpec(kind, FrozenMap(options)) for kind, options in sinks)
    backend = BackendSpec("preview", Model("preview", (), None), FrozenMap())
    return Recipe("r", Path("r.yaml"), "0" * 64, (), backend, sinks=specs)


def moved(path: str, *overrides: str, kind: str = "directory") -> str:
    made = apart(
        recipe((kind, {"path": path, "name": "{key}.{ext}"})),
        "preview",
        "results of 'preview'",
        overrides,
        lambda sink: sink != "imagefolder",
    )
    (sink,) = made.sinks
    assert (sink.type, sink.options["name"]) == (kind, "{key}.{ext}")
    assert made.warnings == ()
    return str(sink.options["path"])


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("out/", "out/preview"),
        ("out", "out/preview"),
        ("out/paid/", "out/preview/paid"),
        ("./out//sheets", "out/preview/sheets"),
        (".", "preview"),
        ("../out", "../out/preview"),
        ("../../out/a/b", "../../out/preview/a/b"),
    ],
)
def test_a_folder_gets_one_of_its_own_below_it(path: str, there: str) -> None:
    assert moved(path) == there


@pytest.mark.parametrize(
    ("path", "there"),
    [("set/", "set-preview"), ("out/set", "out/preview/set"), ("../set", "../set-preview")],
)
def test_a_folder_that_is_read_as_a_whole_stays_clean(path: str, there: str) -> None:
    assert moved(path, kind="imagefolder") == there


@pytest.mark.parametrize("setting", ["sinks[0].path=x", "sinks[0]={…}", "sinks=[]"])
def test_a_place_that_the_command_line_names_stays(setting: str) -> None:
    assert moved("out/", "limits.rate=1/1s", setting) == "out/"


def test_another_setting_of_the_sink_names_no_place() -> None:
    assert moved("out/", "sinks[0].format=webp", "sinks[01].path=x") == "out/preview"


def test_a_store_is_written_to_only_if_asked() -> None:
    store = ("s3", {"uri": "s3://bucket/x/"})
    written = recipe(("directory", {"path": "out"}), store)
    made = apart(written, "preview", "results of 'preview'", (), lambda _: True)
    assert [sink.type for sink in made.sinks] == ["directory"]
    assert made.warnings == (
        "r.yaml: sinks[1]: s3 is left out: results of 'preview' are written to a store only if "
        "asked, with --set 'sinks[1].uri=…'",
    )
    asked = apart(written, "preview", "", ("sinks[1].uri=s3://bucket/drafts/",), lambda _: True)
    assert [sink.type for sink in asked.sinks] == ["directory", "s3"]
    assert asked.warnings == ()


def test_the_sinks_of_the_file_are_kept_so_that_no_source_reads_them() -> None:
    written = recipe(("directory", {"path": "out"}))
    once = apart(written, "preview", "", (), lambda _: True)
    twice = apart(once, "rehearsal", "", (), lambda _: True)
    assert twice.sinks[0].options["path"] == "out/rehearsal/preview"
    assert twice.written_sinks == written.sinks
