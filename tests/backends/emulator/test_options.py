from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from relightflow.backends.emulator.config import Config, ServerRate
from relightflow.backends.emulator.options import OPTIONS, config
from relightflow.errors import UsageError


def test_every_field_has_an_option_and_every_option_a_field() -> None:
    assert sorted(option.field for option in OPTIONS) == sorted(f.name for f in fields(Config))


def test_options_become_a_config() -> None:
    line = (
        "--port 0 --latency=8-12 --rate 50/5s --credits 12.8 --no-v2 --price ic-light=0.04 "
        "--price segmind-relighting=0.06 --v1-only ic-light --journal bill.jsonl --record-life 60"
    )
    made = config(line.split())
    assert made == Config(
        latency=(8, 12),
        rate=ServerRate(50, 5),
        credits=12_800_000,
        no_v2=True,
        prices={"ic-light": 40_000, "segmind-relighting": 60_000},
        v1_only=frozenset({"ic-light"}),
        journal=Path("bill.jsonl"),
        record_life=60,
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--prot", "0"], "unknown option '--prot'"),
        (["--port"], "--port needs a value"),
        (["--port", "x"], "'x' is not an integer"),
        (["--record-life", "x"], "'x' is not a number"),
        (["--credits", "x"], "is not an amount"),
    ],
)
def test_what_is_no_option_is_told(arguments: Any, words: Any) -> None:
    with pytest.raises(UsageError, match=words):
        config(arguments)


def test_options_can_be_read_without_loading_the_server() -> None:
    heavy = "{'aiohttp', 'numpy', 'PIL', 'yaml'}"
    code = f"import sys, relightflow.backends.emulator.options; print({heavy} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert said == b"set()\n"
