from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.model.values import FrozenMap
from relightflow.plugins.sink import SinkFailed
from tests.sinks.samples import named, of, sample, sink

FACTS = {
    "path": "a/left.png",
    "source": {"name": "photos/sample.png", "sha256": "ab" * 32, "size": 9},
    "sha256": "cd" * 32,
    "cost": 0.05,
}


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "recipe/out/index.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_output_is_a_row(tmp_path: Path) -> None:
    run = sample(tmp_path)
    sink("csv", tmp_path).finalize(of(run, list(run.outputs()), **FACTS))
    found = rows(tmp_path)
    assert [row["status"] for row in found] == ["done", "done", "done", "failed"]
    first = found[0]
    assert (first["index"], first["path"], first["cost"]) == ("0", "a/left.png", "0.05")
    assert (first["light_direction"], first["light_type"]) == ("left", "softbox")
    assert (first["source"], first["source_sha256"]) == ("photos/sample.png", "ab" * 32)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_name_becomes_a_formula(tmp_path: Path, start: str) -> None:
    run = sample(tmp_path)
    name = f'{start}HYPERLINK("http://x","y").png'
    output, result = named(run, name)[0]
    evil = replace(output, cell=FrozenMap({"light_direction": f"{start}1"}))
    sink("csv", tmp_path).finalize(of(run, [(evil, result)], source={"name": name}))
    (row,) = rows(tmp_path)
    assert (row["source"], row["light_direction"]) == (f"'{name}", f"'{start}1")


def test_no_name_of_a_parameter_becomes_a_formula(tmp_path: Path) -> None:
    run = sample(tmp_path)
    output, result = next(run.outputs())
    sink("csv", tmp_path).finalize(of(run, [(replace(output, cell=FrozenMap({"=1": 1})), result)]))
    assert "'=1" in rows(tmp_path)[0]


def test_a_number_stays_a_number(tmp_path: Path) -> None:
    run = sample(tmp_path)
    output, result = next(run.outputs())
    sink("csv", tmp_path).finalize(of(run, [(replace(output, cell=FrozenMap({"n": -1})), result)]))
    assert rows(tmp_path)[0]["n"] == "-1"


def test_lines_end_as_rfc_4180_says_and_quotes_hold_what_needs_them(tmp_path: Path) -> None:
    run = sample(tmp_path)
    told = of(run, list(run.outputs())[:1], path='a,"b"\n.png')
    sink("csv", tmp_path).finalize(told)
    data = (tmp_path / "recipe/out/index.csv").read_bytes()
    assert data.endswith(b"\r\n")
    assert b'"a,""b""\n.png"' in data


def test_a_name_in_any_script_or_in_none_is_utf_8(tmp_path: Path) -> None:
    run = sample(tmp_path)
    outputs = list(run.outputs())[:1]
    sink("csv", tmp_path).finalize(of(run, outputs, path="日本\udc80.png"))
    assert rows(tmp_path)[0]["path"] == "日本\\udc80.png"


def test_an_error_says_whether_it_was_billed(tmp_path: Path) -> None:
    run = sample(tmp_path)
    error = {"kind": "server", "message": "it broke", "billed": "no"}
    sink("csv", tmp_path).finalize(of(run, list(run.outputs())[3:], error=error))
    (row,) = rows(tmp_path)
    assert (row["error"], row["billed"], row["path"]) == ("it broke", "no", "")


def test_it_takes_no_single_images(tmp_path: Path) -> None:
    with pytest.raises(SinkFailed):
        sink("csv", tmp_path).write("a.png", b"x", "image/png")
