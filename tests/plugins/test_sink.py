from __future__ import annotations

import json
from typing import Any

import pytest

from relightflow.plugins.sink import manifest_records, width_of

HEAD = {"record": "recipe", "format": 1}


def manifest(*records: Any) -> bytes:
    lines = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in records)
    return b"\n".join(lines) + b"\n"


def output(number: int) -> dict[str, Any]:
    return {"record": "output", "index": number}


def test_the_outputs_of_a_manifest_come_in_their_order_and_nothing_else() -> None:
    data = manifest(HEAD, output(0), {"record": "rejected"}, output(1))
    assert list(manifest_records(data)) == [output(0), output(1)]


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        manifest(output(0)),
        manifest(HEAD | {"format": 2}, output(0)),
        manifest(HEAD | {"rehearsed": True}, output(0)),
        manifest([1], output(0)),
        manifest(b"\xff", output(0)),
    ],
)
def test_what_is_no_manifest_of_a_real_run_says_nothing(data: bytes | None) -> None:
    assert list(manifest_records(data)) == []


def test_a_line_that_makes_no_sense_is_passed_over() -> None:
    deep, long = b"[" * 100_000, json.dumps(output(9) | {"x": "y" * (1 << 20)}).encode()
    data = manifest(HEAD, b"{", deep, long, [output(9)], output(1))
    assert list(manifest_records(data)) == [output(1)]


@pytest.mark.parametrize(("wants", "width"), [({}, 1), ({"width": 16}, 16)])
def test_a_sink_is_handed_one_image_at_a_time_unless_it_says_more(
    wants: dict[str, int], width: int
) -> None:
    sink: Any = type("Sink", (), wants)()
    assert width_of(sink) == width
