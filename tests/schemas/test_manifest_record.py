from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from relightflow.recipe import published

SHA = "a" * 64
FIRST: dict[str, Any] = {
    "record": "recipe",
    "format": 1,
    "recipe": {"name": "example", "sha256": SHA},
    "backend": "preview",
    "model": "preview",
    "counts": {"images": 1, "cells": 2, "outputs": 2, "jobs": 2, "done": 1, "failed": 1},
}
DONE: dict[str, Any] = {
    "record": "output",
    "index": 0,
    "job": "a" * 16,
    "key": SHA,
    "source": {"name": "a.jpg", "sha256": SHA, "size": 10},
    "parameters": {"light_direction": "left"},
    "repeat": 0,
    "status": "done",
    "path": "a/left.jpg",
    "sha256": SHA,
    "size": 20,
    "width": 4,
    "height": 3,
    "media_type": "image/jpeg",
    "cost": 0,
}
FAILED = {k: v for k, v in DONE.items() if k in list(DONE)[:7]} | {
    "status": "failed",
    "error": {"kind": "bad-image", "message": "empty", "billed": "no"},
}


def valid(record: dict[str, Any]) -> bool:
    return jsonschema.Draft7Validator(published("manifest-record")).is_valid(record)


@pytest.mark.parametrize("record", [FIRST, DONE, FAILED], ids=["first", "done", "failed"])
def test_what_the_design_describes_is_valid(record: dict[str, Any]) -> None:
    assert valid(record)


@pytest.mark.parametrize("record", [FIRST, DONE, FAILED], ids=["first", "done", "failed"])
def test_no_time_and_nothing_unknown_can_slip_in(record: dict[str, Any]) -> None:
    assert not valid({**record, "finished": "2026-11-23T10:00:00Z"})


@pytest.mark.parametrize("field", ["job", "key", "source", "parameters", "repeat", "status"])
def test_an_output_always_says_what_it_is(field: str) -> None:
    assert not valid({k: v for k, v in DONE.items() if k != field})
