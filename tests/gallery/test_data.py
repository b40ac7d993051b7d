"""What data.js says of a sweep, read back as the page reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from relightflow.gallery.axes import labels, tabulate
from relightflow.gallery.data import SHORT, CellAddress, Sweep, scripts
from relightflow.gallery.entries import CheckNote, Entry, Unused
from relightflow.gallery.run import GalleryRun, ListPrice
from tests.gallery.conftest import Stage

EVIL = "</script><img src=x onerror=alert(1)>\u2028\u202e"


def sweep(*runs: GalleryRun, **facts: Any) -> Sweep:
    named = labels(runs)
    inputs = {entry.input: (False, "") for run in runs for entry in run.entries}
    given: dict[str, Any] = {"inputs": inputs, "shown": frozenset(), "addresses": {}}
    return Sweep(runs, named, tabulate(runs, named), **(given | facts))


def blocks(asked: Sweep) -> list[dict[str, Any]]:
    """Everything that the scripts push, head first."""
    text = b"".join(data for _, data in scripts(asked)).decode("ascii")
    return [json.loads(line[line.index("push(") + 5 : -2]) for line in text.splitlines()]


def with_entries(run: GalleryRun, entries: Sequence[Entry]) -> GalleryRun:
    return replace(run, entries=list(entries))


def test_data_names_every_job(stage: Stage) -> None:
    run = stage.run(with_bytes=False)
    _, part = blocks(sweep(run))
    assert part["job"] == "".join(entry.job for entry in run.entries)
    assert part["count"] == len(run.entries)


def test_no_text_ends_the_script_it_stands_in(stage: Stage) -> None:
    run = stage.run(images=[f"{EVIL}.png"], axes={"light": (EVIL,)}, with_bytes=False)
    run = replace(
        with_entries(run, [replace(run.entries[0], reason=EVIL)]), unused=[Unused(EVIL, EVIL)]
    )
    ((_, data),) = scripts(sweep(run, file=EVIL))
    assert b"<" not in data
    assert data.isascii()
    assert data.count(b"\n") == 2, "a line for the head and one for the cells"
    head, part = blocks(sweep(run, file=EVIL))
    assert (head["file"], head["rejected"], head["images"][0]["name"]) == (
        EVIL,
        [[EVIL, EVIL]],
        f"{EVIL}.png",
    )
    assert head["reasons"][part["reasons"][0][1]]["message"] == EVIL


def test_values_that_cells_share_are_written_once(stage: Stage) -> None:
    run = stage.run(["a.png"], {"n": (1, 2, 3)}, with_bytes=False)
    a, b, c = run.entries
    run = with_entries(
        run,
        [
            replace(a, cost=50_000),
            replace(b, cost=50_000, width=10, height=20),
            replace(c, cost=None, width=0, height=0, status="failed", reason="no", billed="no"),
        ],
    )
    head, part = blocks(sweep(run))
    assert (head["costs"], part["cost"]) == ([50_000], [0, 0, -1])
    assert (head["looks"], part["look"]) == ([[48, 32], [10, 20]], [0, 1, -1])
    assert (head["reasons"], part["reasons"]) == ([{"message": "no", "billed": "no"}], [[2, 0]])
    assert (head["counts"]["done"], head["counts"]["failed"]) == (2, 1)


def test_only_checks_that_are_not_passed_are_told_and_each_text_once(stage: Stage) -> None:
    run = stage.run(["a.png"], {"n": (1, 2, 3)}, with_bytes=False)
    good, bad = CheckNote("size", "pass", "fail", ""), CheckNote("warmer", "fail", "warn", EVIL)
    a, b, c = run.entries
    run = with_entries(run, [replace(a, checks=(good, bad)), replace(b, checks=(bad,)), c])
    head, part = blocks(sweep(run))
    assert head["checked"] == ["size", "warmer"]
    assert head["checks"] == [["warmer", "fail", "warn", EVIL]]
    assert (part["passed"], part["checks"]) == ([1, 0, 0], [[0, [0]], [1, [0]]])


def test_a_column_in_which_all_are_the_same_is_that_one_value(stage: Stage) -> None:
    _, part = blocks(sweep(stage.run(["a.png"], {"n": (1, 2)}, with_bytes=False)))
    assert part["status"] == 0
    assert [0, 1] in part["axes"]


def test_only_results_with_a_thumbnail_are_named(stage: Stage) -> None:
    run = stage.run(["a.png"], {"n": (1, 2)}, with_bytes=False)
    shown = run.entries[1].sha256
    _, part = blocks(sweep(run, shown=frozenset({shown})))
    assert part["result"] == " " * SHORT + shown[:SHORT]


def test_full_images_share_their_folders(stage: Stage) -> None:
    run = stage.run(["a.png"], {"n": (1, 2, 3)}, with_bytes=False)
    places = [e.job + e.sha256 for e in run.entries]
    addresses = {places[0]: CellAddress("../out/", "1"), places[2]: CellAddress("../out/", "3")}
    head, part = blocks(sweep(run, addresses=addresses))
    assert (head["folders"], part["path"]) == (["../out/"], [[0, "1"], 0, [0, "3"]])


def test_a_job_that_is_on_the_page_twice_was_paid_once(stage: Stage) -> None:
    run = stage.run(["a.png"], {"n": (1, 2)}, with_bytes=False)
    paid = [replace(entry, cost=50_000) for entry in run.entries]
    head, _ = blocks(sweep(with_entries(run, [*paid, paid[0]])))
    assert head["spent"] == 100_000


def test_the_shape_of_most_results_is_the_tables_within_its_bounds(stage: Stage) -> None:
    run = stage.run(["a.png"], {"n": (1, 2, 3)}, with_bytes=False)

    def ratio(*sizes: tuple[int, int]) -> float:
        changed = [
            replace(e, width=w, height=h) for e, (w, h) in zip(run.entries, sizes, strict=True)
        ]
        head, _ = blocks(sweep(with_entries(run, changed)))
        return float(head["ratio"])

    assert ratio((4, 3), (4, 3), (9, 16)) == 0.75
    assert ratio((1000, 1), (1000, 1), (1000, 1)) == 0.4
    assert ratio((1, 1000), (1, 1000), (1, 1000)) == 1.8
    assert ratio((0, 0), (0, 0), (0, 0)) == 1.0


def test_an_image_is_told_by_its_bytes_and_its_name(stage: Stage) -> None:
    run = stage.run(["a.png", "b.png"], {"n": (1,)}, with_bytes=False)
    first, second = run.entries
    same = replace(second, input=replace(second.input, sha256=first.input.sha256))
    run = with_entries(run, [first, same])
    inputs = {first.input: (True, "../a.png"), same.input: (False, "")}
    head, _ = blocks(sweep(run, inputs=inputs))
    sha = first.input.sha256
    assert head["images"] == [
        {"name": "a.png", "sha256": sha, "thumb": sha[:SHORT], "full": "../a.png"},
        {"name": "b.png", "sha256": sha},
    ]


def test_a_price_is_said_where_there_is_one(stage: Stage) -> None:
    run = stage.run(["a.png"], with_bytes=False)
    assert blocks(sweep(run))[0]["price"] is None
    price = blocks(sweep(run, price=ListPrice("segmind", "m", 1, 2)))[0]["price"]
    assert price == {"backend": "segmind", "model": "m", "low": 1, "high": 2}
