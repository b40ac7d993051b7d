"""Machines that share a store, in virtual time: the short form of `python -m benchmarks.reliability many`."""

from __future__ import annotations

from benchmarks.reliability import many


def test_no_job_is_paid_twice_and_no_cap_is_passed_whatever_store_and_machines_do() -> None:
    told = many.sweep(4)
    assert not told["failures"], told["failures"][0]
    assert told["deaths"]
