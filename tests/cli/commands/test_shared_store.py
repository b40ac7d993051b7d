"""CI machines that vanish: real processes, a real S3 server, and the provider's stand-in."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from relightflow.objects.bucket import opened
from tests.cli.program import Relightflow
from tests.conftest import make_store
from tests.servers.swift import Server

from .conftest import Rehearsal, Write


@pytest.fixture
def shared(s3: str, swift: Server, rehearsal: Rehearsal) -> Mapping[str, str]:
    return {
        **swift.environment,
        **rehearsal.env,
        "RELIGHTFLOW_STORE": make_store(f"s3://{s3}/store/"),
    }


def _run(
    relightflow: Relightflow, machine: str, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return relightflow(
        "run", "spring.yaml", "--state", machine, "--max-cost", "1", "--json", env=env
    )


def test_a_second_machine_with_an_empty_disk_buys_nothing(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, shared: Mapping[str, str]
) -> None:
    write(backend="segmind")
    first = _run(relightflow, "machine-1", shared)
    assert first.returncode == 0, first.stderr
    assert len(rehearsal.bill()) == 2
    second = _run(relightflow, "machine-2", shared)
    assert second.returncode == 0, second.stderr
    assert len(rehearsal.bill()) == 2
    money = json.loads(second.stdout)["money"]
    assert {name: money[name] for name in money if "spent" in name} == {"spent_usd": 0}


def test_what_a_killed_machine_had_in_the_air_is_collected_by_another(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, shared: Mapping[str, str],
    tmp_path: Path,
) -> None:  # fmt: skip
    write(backend="segmind")
    killed = _run(relightflow, "machine-1", {**shared, "RELIGHTFLOW_CRASH_AT": "after-accepted:2"})
    assert killed.returncode == -signal.SIGKILL
    _age(shared["RELIGHTFLOW_STORE"])
    second = _run(relightflow, "machine-2", shared)
    assert second.returncode == 0, second.stderr
    assert len(rehearsal.bill()) == 2
    assert len(list((tmp_path / "out").glob("*"))) == 3


def test_a_wrong_secret_stops_before_anything_is_bought_and_is_not_shown(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, shared: Mapping[str, str]
) -> None:
    write(backend="segmind")
    done = _run(relightflow, "machine", {**shared, "AWS_SECRET_ACCESS_KEY": "wrong-secret"})
    assert done.returncode == 4
    assert rehearsal.bill() == []
    assert "wrong-secret" not in done.stdout + done.stderr
    assert "--store-mode off" in done.stderr + done.stdout


def _age(store: str) -> None:
    """What is claimed there was claimed long ago, by its owner's clock: it has had its time."""
    bucket = opened(store, files=True)
    for facts in bucket.list("inflight"):
        entry = json.loads(bucket.get(facts.path))
        bucket.put(facts.path, json.dumps({**entry, "at": 1.0}).encode())
