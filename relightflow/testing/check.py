"""The conformance kit for checks."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from relightflow.model.catalog import FREE, Model, Parameter
from relightflow.model.check import CheckResult, Verdict
from relightflow.model.job import Output
from relightflow.model.values import FrozenMap
from relightflow.plugins.check import Check, CheckImage, CheckView, Measured
from relightflow.plugins.records import CheckContext, CheckRecord
from relightflow.testing.record import check_record
from relightflow.testing.samples import sample_image, sample_image_bytes, sample_job

_LARGEST = 64 << 10
"""Bytes that `measure` may keep of one result."""
_SIDES, _TONES = ("left", "right"), ("cool", "warm")


def verify_check(record: CheckRecord, folder: Path, options: Mapping[str, Any]) -> None:
    """`record` makes checks that keep the protocol's promises.

    `folder` plays the recipe's folder, from which paths in `options` count.

    Checked: the record, and that a default check needs no options; results with and without an input
    image, transparent, of one pixel, black, and larger or smaller than the input image are measured,
    in several threads, without a change to them; what is kept of one is small; `judge` gives a verdict
    or None for each result, also for one and for none; verdicts are JSON without NaN, rounded, and say
    why they are not `pass`; the same results get the same verdicts from another instance.
    """
    check_record(record, CheckRecord, options)
    if record.default:
        check_record(record, CheckRecord, {})
    context = CheckContext(folder, FrozenMap(options))
    for views in _groups():
        first = _judged(record, record.make(context), views)
        again = _judged(record, record.make(context), views)
        assert first == again, f"{record.name}: the same results get other verdicts the second time"
        alone = _judged(record, record.make(context), views[:1])
        assert len(alone) == 1, f"{record.name}: judge() gave {len(alone)} verdicts for one result"
    assert not list(record.make(context).judge([])), f"{record.name}: a verdict on nothing"


def _judged(
    record: CheckRecord, check: Check, views: Sequence[CheckView]
) -> list[CheckResult | None]:
    with ThreadPoolExecutor(4) as pool:
        values = list(pool.map(check.measure, views))
    for value in values:
        kept = len(pickle.dumps(value))
        assert kept <= _LARGEST, f"{record.name}: measure() keeps {kept:,} bytes of one result"
    results = [
        Measured(view.output, str(index), value)
        for index, (view, value) in enumerate(zip(views, values, strict=True))
    ]
    found = list(check.judge(results))
    assert len(found) == len(views), (
        f"{record.name}: judge() gave {len(found)} verdicts for {len(views)} results: give one for "
        "each, in their order, and None where the check does not apply"
    )
    for verdict in found:
        if verdict is not None:
            _check_verdict(record.name, verdict)
    return found


def _check_verdict(name: str, verdict: Any) -> None:
    assert isinstance(verdict, CheckResult), f"{name}: {verdict!r} is no CheckResult"
    assert isinstance(verdict.verdict, Verdict), f"{name}: {verdict.verdict!r} is no Verdict"
    for number in (verdict.value, verdict.bound):
        assert number is None or isinstance(number, int | float | str), (
            f"{name}: {number!r} is neither a number nor a text; numpy's numbers are not either"
        )
        if isinstance(number, float):
            assert math.isfinite(number), f"{name}: {number} cannot stand in a manifest"
            assert number == round(number, 6), f"{name}: {number} is not rounded"
    json.dumps([verdict.value, verdict.bound, verdict.unit, verdict.message], allow_nan=False)
    assert "\n" not in verdict.message, f"{name}: a message is one line"
    if verdict.verdict is not Verdict.PASS:
        assert verdict.message, f"{name}: {verdict.verdict} without a word why"


def _groups() -> Iterator[list[CheckView]]:
    """Results of one input image each."""
    source = _drawn(96, 64)
    yield _views([_drawn(96, 64, shift) for shift in (0, 20, 40, 60)], source)
    yield _views([_drawn(96, 64, shift) for shift in (0, 20, 40, 60)], None)
    yield _views([_drawn(1, 1), _drawn(96, 64), _drawn(128, 3), _drawn(2, 128)], source)
    yield _views([_drawn(64, 64, dark=True)] * 4, _drawn(64, 64, dark=True))
    see_through = _drawn(96, 64, alpha=True)
    yield _views([see_through, _drawn(96, 64), see_through, _drawn(96, 64)], see_through)


def _views(results: Sequence[CheckImage], source: CheckImage | None) -> list[CheckView]:
    image = sample_image(sample_image_bytes())
    model = Model("sample", (Parameter("light_direction", values=_SIDES), Parameter("light_temperature", values=_TONES)), FREE)  # fmt: skip
    cells = [
        FrozenMap({"light_direction": side, "light_temperature": tone})
        for side in _SIDES
        for tone in _TONES
    ]
    return [
        CheckView(Output(n, sample_job(image, "sample", model, cell), image, cell), result, source)
        for n, (cell, result) in enumerate(zip(cells, results, strict=True))
    ]


def _drawn(
    width: int, height: int, shift: int = 0, dark: bool = False, alpha: bool = False
) -> CheckImage:
    """Stripes and a slope; its arrays cannot be written to."""
    import numpy as np

    rows, columns = np.mgrid[0:height, 0:width]
    stripes = np.where((columns // 8 + rows // 8) % 2, 60, 0)
    planes = (columns + stripes + shift, rows + stripes, columns // 2 + stripes)
    rgb = (np.dstack(planes) % 256).astype(np.uint8)
    if dark:
        rgb = np.zeros_like(rgb)
    mask = np.where(columns > width // 2, 255, 0).astype(np.uint8) if alpha else None
    luma = rgb.max(axis=2)
    for array in (rgb, luma, mask):
        if array is not None:
            array.flags.writeable = False
    return CheckImage(rgb, luma, mask, width * 4, height * 4, "image/png", 1000)
