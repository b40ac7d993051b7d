from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft7Validator

from relightflow.images import decode, probe
from relightflow.model.catalog import FREE, Model
from relightflow.testing.samples import (
    SIZE,
    SampleRun,
    sample_image,
    sample_image_bytes,
    sample_job,
)
from tests.cli.program import ROOT


def test_each_seed_is_another_image_and_the_same_one_each_time() -> None:
    one, again, other = (sample_image_bytes(seed) for seed in (0, 0, 1))
    assert one == again
    assert one != other
    assert (probe(one).width, probe(one).height) == SIZE
    assert decode(one).std() > 0, "not one colour"


def test_jobs_are_told_apart_by_all_that_makes_a_purchase() -> None:
    image, model = sample_image(sample_image_bytes()), Model("m", (), FREE)
    other = sample_image(sample_image_bytes(1))
    jobs = [
        sample_job(image, "a", model, {}),
        sample_job(image, "b", model, {}),
        sample_job(other, "a", model, {}),
    ]
    assert len({job.key for job in jobs}) == 3
    assert sample_job(image, "a", model, {}).key == jobs[0].key


def test_a_sample_run_is_what_a_real_one_hands_to_a_sink(tmp_path: Path) -> None:
    run = SampleRun(tmp_path).finished()
    outputs = list(run.outputs())
    assert [result is not None for _, result in outputs] == [True, True, True, False]
    for output, result in outputs:
        assert tuple(output.cell) == run.axes
        if result:
            assert probe(run.read(result)).width == result.width
    assert probe(run.original(outputs[0][0])).width == SIZE[0]


def test_its_manifest_is_valid_and_says_the_same_as_its_records(tmp_path: Path) -> None:
    run = SampleRun(tmp_path).finished()
    schema = json.loads((ROOT / "schemas/manifest-record.schema.json").read_text())
    lines = [json.loads(line) for line in run.manifest.read_text().splitlines()]
    assert lines == list(run.records())
    for line in lines:
        Draft7Validator(schema).validate(line)
