from __future__ import annotations

import json
from typing import Any

import pytest

from relightflow.errors import UsageError
from relightflow.gallery.entries import (
    LONGEST,
    Entry,
    Input,
    ManifestHead,
    Record,
    Unused,
    read_lines,
)
from relightflow.model.values import FrozenMap

HEAD = {
    "record": "recipe",
    "format": 1,
    "recipe": {"name": "spring", "sha256": "0" * 64},
    "backend": "preview",
    "model": "preview",
}
DONE = {
    "record": "output",
    "status": "done",
    "job": "a" * 16,
    "source": {"name": "a.png", "sha256": "1" * 64},
    "cell": {"light": "left", "n": 1, "x": 0.5, "on": True, "none": None},
    "repeat": 0,
    "sha256": "2" * 64,
    "size": 10,
    "width": 4,
    "height": 3,
    "media_type": "image/png",
}
FAILED = {
    **{name: DONE[name] for name in ("record", "job", "source", "cell", "repeat")},
    "status": "failed",
    "error": {"message": "refused", "billed": "no"},
}


def read(*found: Any) -> list[Record]:
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in found]
    return list(read_lines(lines, "m.jsonl"))


def test_the_three_records_of_a_manifest_are_read() -> None:
    rejected = {"record": "rejected", "source": {"name": "b.png"}, "error": "empty"}
    head, done, failed, unused = read(HEAD, b" ", DONE | {"cost": 0.05, "new": 1}, FAILED, rejected)
    assert head == ManifestHead("spring", "0" * 64, "preview", "preview")
    assert isinstance(done, Entry)
    assert (done.input, done.cost) == (Input("a.png", "1" * 64), 50_000)
    assert done.cell == FrozenMap(DONE["cell"])  # type: ignore[arg-type]  # a mapping, as above
    assert isinstance(failed, Entry)
    assert (failed.sha256, failed.reason, failed.billed) == ("", "refused", "no")
    assert unused == Unused("b.png", "empty")


def test_the_facts_of_a_result_count_only_where_there_is_one() -> None:
    (entry,) = read(DONE | {"status": "pending", "path": "x.png", "delivered": {"size": 5}})
    assert isinstance(entry, Entry)
    assert (entry.sha256, entry.size, entry.path, entry.delivered) == ("", 0, "", 0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"record": "other"}, "'record' is none of recipe, output, rejected"),
        ({"status": "fine"}, "'status' is none of done, failed, unknown, pending, missing"),
        ({"job": "a" * 15}, "'job' is not a hash"),
        ({"job": "A" * 16}, "'job' is not a hash"),
        ({"job": "a" * 16 + "\n"}, "'job' is not a hash"),
        ({"sha256": None}, "'sha256' is not a hash"),
        ({"source": "a.png"}, "'source' is not an object"),
        ({"source": {"name": 3, "sha256": "1" * 64}}, "'name' is not a text"),
        ({"source": {"name": "a" * 10_001, "sha256": "1" * 64}}, "'name' is not a text"),
        ({"cell": []}, "'cell' is not an object"),
        ({"cell": {"light": ["left"]}}, "'cell' does not map parameters to single values"),
        ({"cell": {"n": float("inf")}}, "'cell' does not map parameters to single values"),
        ({"cell": {"n": float("nan")}}, "'cell' does not map parameters to single values"),
        ({"cell": {"n": 10**400}}, "'cell' does not map parameters to single values"),
        ({"cell": {str(n): n for n in range(101)}}, "'cell' does not map parameters"),
        ({"repeat": True}, "'repeat' is not an integer"),
        ({"repeat": -1}, "'repeat' is not an integer"),
        ({"size": 1 << 53}, "'size' is not an integer"),
        ({"width": 4.0}, "'width' is not an integer"),
        ({"path": 3}, "'path' is not a text"),
        ({"cost": -0.01}, "'cost' is not an amount of dollars"),
        ({"cost": True}, "'cost' is not an amount of dollars"),
        ({"cost": float("nan")}, "'cost' is not an amount of dollars"),
        ({"cost": 10**400}, "'cost' is not an amount of dollars"),
        ({"error": "oops"}, "'error' is not an object"),
        ({"error": ["oops"]}, "'error' is not an object"),
        ({"error": {"billed": "no"}}, "'message' is not a text"),
    ],
)
def test_what_a_manifest_does_not_hold_is_named_with_its_line(
    change: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError) as told:
        read(HEAD, DONE | change)
    assert str(told.value).startswith("m.jsonl:2: this is not a record of a manifest: ")
    assert words in str(told.value)


@pytest.mark.parametrize("line", [b"{", b"[" * 100_000, b'"\xff"', b"1" * 5000])
def test_what_is_no_json_is_told(line: bytes) -> None:
    with pytest.raises(UsageError, match=r"^m\.jsonl:1: .*: not valid JSON$"):
        read(line)


def test_a_line_that_is_no_object_and_a_newer_format_are_told() -> None:
    with pytest.raises(UsageError, match="not an object"):
        read([1])
    with pytest.raises(UsageError, match="its format is newer; upgrade relightflow"):
        read(HEAD | {"format": 2})


def test_a_line_is_not_parsed_where_it_is_too_long() -> None:
    with pytest.raises(UsageError, match=r"m\.jsonl:1: this line is too long for a manifest"):
        read(b" " * (LONGEST + 1))


def test_an_unknown_word_for_billed_is_left_out() -> None:
    (entry,) = read(FAILED | {"error": {"message": "x", "billed": "perhaps"}})
    assert isinstance(entry, Entry)
    assert entry.billed == ""


def test_verdicts_of_checks_are_read_with_what_was_measured() -> None:
    checks = [
        {"name": "size", "verdict": "pass", "severity": "fail", "value": "4 × 3", "unit": "px"},
        {"name": "warmer", "verdict": "fail", "severity": "warn", "value": -1.5, "bound": 0.15,
         "unit": "b*", "message": "too cold"},
    ]  # fmt: skip
    line = json.dumps({**DONE, "checks": checks}).encode()
    (entry,) = read_lines([line], "m")
    assert isinstance(entry, Entry)
    assert [(c.name, c.verdict, c.severity, c.words) for c in entry.checks] == [
        ("size", "pass", "fail", ""),
        ("warmer", "fail", "warn", "too cold (-1.5 b*, bound 0.15)"),
    ]


@pytest.mark.parametrize(
    "checks",
    [
        5, [5], [{"name": "x"}], [{"name": "x", "verdict": "perhaps"}],
        [{"name": "x", "verdict": "fail", "severity": "deadly"}],
        [{"name": 5, "verdict": "pass"}], [{"name": "x", "verdict": "fail", "value": [1]}],
        [{"name": "x", "verdict": "pass"}] * 101,
    ],
)  # fmt: skip
def test_what_is_no_verdict_is_refused(checks: Any) -> None:
    with pytest.raises(UsageError, match="m:1: this is not a record of a manifest"):
        list(read_lines([json.dumps({**DONE, "checks": checks}).encode()], "m"))


def test_of_several_backends_each_label_names_its_model() -> None:
    listed = [
        {"label": "preview", "backend": "preview", "model": "preview"},
        {"label": "bria", "backend": "fal", "model": "bria/fibo"},
    ]
    (head,) = read({**HEAD, "backend": "preview, bria", "backends": listed})
    assert isinstance(head, ManifestHead)
    assert head.models == (("preview", "preview"), ("bria", "fal bria/fibo"))
    for wrong in (3, [3], [{"label": "x"}], listed * 51):
        with pytest.raises(UsageError, match="backend"):
            read({**HEAD, "backends": wrong})
