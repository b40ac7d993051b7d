from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.model.job import Output
from relightflow.model.output_format import OutputFormat
from relightflow.model.values import FrozenMap
from relightflow.plugins.sink import SinkFailed
from relightflow.plugins.source import StaleImage
from relightflow.sinks.output_records import (
    Originals,
    caption,
    delivered_image,
    one_type,
    shared_records,
    unicode_text,
)
from relightflow.testing.samples import sample_image_bytes
from tests.sinks.samples import of, sample


def test_each_output_comes_with_its_own_record_whatever_else_the_manifest_tells(
    tmp_path: Path,
) -> None:
    run = sample(tmp_path)
    items = list(shared_records(of(run, list(run.outputs()))))
    assert [output.index for output, _, _ in items] == [r["index"] for _, _, r in items]
    assert len(items) == 4


def test_an_image_is_read_once_for_all_its_outputs(tmp_path: Path) -> None:
    run = sample(tmp_path)
    reads: list[int] = []

    def original(output: Output) -> bytes:
        reads.append(output.index)
        return sample_image_bytes()

    originals = Originals(replace(run, original=original))
    assert {originals.of(output) for output, _ in run.outputs()} == {sample_image_bytes()}
    assert reads == [0]


def test_an_image_that_changed_fails_the_sink_in_words(tmp_path: Path) -> None:
    def original(_: Output) -> bytes:
        raise StaleImage("photos/sample.png changed after it was planned")

    run = replace(sample(tmp_path), original=original)
    output, _ = next(run.outputs())
    with pytest.raises(SinkFailed, match=r"sample\.png changed .* `sources: false`"):
        Originals(run).of(output)


def test_an_image_that_cannot_be_copied_fails_the_sink_and_is_named(tmp_path: Path) -> None:
    run = replace(sample(tmp_path), read=lambda _: b"no image")
    output, result = next(run.outputs())
    assert result
    with pytest.raises(SinkFailed, match=output.job.id):
        delivered_image(run, output, result, OutputFormat("image/webp"))


def test_a_caption_says_the_light(tmp_path: Path) -> None:
    output, _ = next(sample(tmp_path).outputs())
    assert caption(output) == "light direction: left, light type: softbox"
    odd = replace(output, cell=FrozenMap({"on": True, "hue": None, "n": 3}))
    assert caption(odd) == "on: true, hue: default, n: 3"


def test_a_name_that_is_no_utf_8_becomes_text_that_every_reader_takes() -> None:
    assert unicode_text("a\udc80.png") == "a\\udc80.png"


@pytest.mark.parametrize(
    ("types", "one"),
    [
        (["image/jpeg", "image/jpeg"], "image/jpeg"),
        (["image/jpeg", "image/webp"], "image/png"),
        (["image/heic"], "image/png"),
        ([], "image/png"),
    ],
)
def test_mixed_types_become_the_one_that_loses_nothing(types: list[str], one: str) -> None:
    assert one_type(types) == one


def test_an_input_that_is_no_image_any_more_fails_the_sink_in_words(tmp_path: Path) -> None:
    run = replace(sample(tmp_path), original=lambda _: b"input")
    with pytest.raises(SinkFailed, match=r"no copy of photos/sample\.png could be made"):
        Originals(run).of(next(run.outputs())[0])
