from __future__ import annotations

import pytest

from relightflow.errors import InvalidRecipe
from relightflow.plugins.registry import Registry
from relightflow.recipe import load_text

TEXT = """\
version: 1
name: example
sources: [{type: glob, include: ["*.jpg"]}]
matrix: {light_type: [softbox, sunlight]}
sinks: [{type: directory, path: out/}]
"""


def told(registry: Registry, *overrides: str) -> str:
    with pytest.raises(InvalidRecipe) as caught:
        load_text(TEXT, registry, overrides=overrides)
    return str(caught.value)


def test_a_field_is_set_and_the_mapping_above_it_made(registry: Registry) -> None:
    assert load_text(TEXT, registry, overrides=["limits.concurrency=4"]).limits.concurrency == 4


def test_an_item_of_a_list_is_set_by_its_number(registry: Registry) -> None:
    recipe = load_text(TEXT, registry, overrides=["sinks[0].path=elsewhere/"])
    assert recipe.sinks[0].options["path"] == "elsewhere/"


@pytest.mark.parametrize(
    ("value", "values"),
    [
        ("ambient", ("ambient",)),
        ("[ambient, softbox]", ("ambient", "softbox")),
        ("all", ("softbox", "sunlight", "spotlight", "ambient")),
    ],
)
def test_an_axis_is_set_as_in_the_file(
    value: str, values: tuple[str, ...], registry: Registry
) -> None:
    (axis,) = load_text(TEXT, registry, overrides=[f"matrix.light_type={value}"]).matrix.axes
    assert axis.values == values


def test_later_settings_win(registry: Registry) -> None:
    assert load_text(TEXT, registry, overrides=["repeat=2", "repeat=3"]).repeat == 3


def test_a_setting_does_not_change_the_files_hash(registry: Registry) -> None:
    changed = load_text(TEXT, registry, overrides=["repeat=2"])
    assert changed.sha256 == load_text(TEXT, registry).sha256


def test_a_setting_mends_what_the_file_has_wrong(registry: Registry) -> None:
    text = TEXT.replace("sunlight", "neon")
    assert load_text(text, registry, overrides=["matrix.light_type=all"]).matrix.axes


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("limits.rate=quick", "--set limits.rate: 'quick' is not a valid rate; use the form calls/window, such as "
         "50/1m, 50/5s or 2/h"),
        ("limits.fail_fast=no", "--set limits.fail_fast: expected true or false, found text 'no' "
         "(write true or false)"),
        ("limits.concurrency=", "--set limits.concurrency: expected an integer, found nothing"),
        ("limits={rate: 5}", "--set limits: limits.rate: 5 is not a valid rate; use the form calls/window, such as "
         "50/1m, 50/5s or 2/h"),
        ("matrix.light_type=[neon]", "--set matrix.light_type: matrix.light_type[0]: 'neon' is not "
         "allowed; allowed: softbox, sunlight, spotlight, ambient"),
        ("matrix.light_tipe=all", "--set matrix.light_tipe: preview has no parameter of this name; known: "
         "light_direction, light_intensity, light_temperature, light_type (did you mean "
         "'light_type'?)"),
        ("version=2", "--set version: the version cannot be set on the command line"),
        ("limits", "--set limits: is not of the form path=value, such as limits.concurrency=4"),
        ("a b=1", "--set a b: is not of the form path=value, such as limits.concurrency=4"),
        ("=1", "--set : is not of the form path=value, such as limits.concurrency=4"),
        ("sinks[1].path=x", "--set sinks[1].path: item [1] does not exist; the recipe has 1 there"),
        ("name.first=x", "--set name.first: 'first' does not exist in text 'example'"),
        ("sinks.path=x", "--set sinks.path: 'path' does not exist in a list"),
        ("repeat=!!int 2", "--set repeat: tags are not supported; remove '!!int'"),
        ("repeat=.inf", "--set repeat: .inf is not a supported number; in quotes it is text"),
        ("limits=rate: 5/s", "--set limits: write one value, or a list or mapping in brackets: [a, b]"),
        ("sinks[0].path=a/*/../b", "--set sinks[0].path: 'a/*/../b' has '..' after a wildcard; write the path without it"),
    ],
)  # fmt: skip
def test_a_problem_is_told_at_the_setting(setting: str, message: str, registry: Registry) -> None:
    assert told(registry, setting) == message


def test_brackets_that_do_not_close_are_told_at_the_setting(registry: Registry) -> None:
    assert told(registry, "repeat=[1").startswith("--set repeat: is not valid YAML: ")


def test_every_setting_that_is_wrong_is_told(registry: Registry) -> None:
    lines = told(registry, "repeat=0", "a", "limits.max_jobs=0").splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "--set a",
        "--set limits.max_jobs",
        "--set repeat",
    ]
