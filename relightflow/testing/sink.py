"""The conformance kit for sinks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from relightflow.errors import RefusedError
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import SinkContext, SinkRecord
from relightflow.plugins.sink import Artifact, FileState, Sink, SinkFailed, WriteReceipt
from relightflow.testing.record import check_record
from relightflow.testing.samples import SampleRun, sample_image_bytes

_HOSTILE = ("../escaped.png", "a/../../escaped.png", "/escaped.png", "a/\0.png", "..")
"""Paths that the engine never hands over; a sink that meets one must still stay in its place."""


def check_sink(record: SinkRecord, folder: Path, options: Mapping[str, Any]) -> None:
    """`record` makes sinks that keep the protocol's promises.

    `folder` (empty) plays the recipe's folder; `options` say where in it, or elsewhere, to write.

    Checked: the record; what was written is found to be the same, with and without its receipt, also
    by a new sink instance; other bytes are seen as edited, none as missing; writing twice replaces,
    never half; several threads may write and check at once, also at one path; a path that would lead out is refused;
    finalizing twice gives the same files and the same bytes, or touches nothing. A sink that gathers
    (`layout` other than `files`) is only finalized.
    """
    check_record(record, SinkRecord, options)
    recipe_folder = folder / "recipe"
    recipe_folder.mkdir()
    context = SinkContext(recipe_folder, FrozenMap(options), recipe="sample")
    sink = record.make(context)
    assert sink.location, f"{record.name}: `location` is empty: say where it writes"
    assert record.make(context).location == sink.location, (
        f"{record.name}: `location` is not always the same"
    )
    if record.layout == "files":
        _check_files(record, context, sink)
        _check_threads(record, sink)
        _check_hostile(record, sink, folder)
    _check_finish(record, context, sink, folder)
    sink.close()


def _check_files(record: SinkRecord, context: SinkContext, sink: Sink) -> None:
    one, two = sample_image_bytes(1), sample_image_bytes(2)
    path, name = "a/b/one.png", record.name
    _expect(record, sink, path, None, one, FileState.MISSING, "nothing was written yet")
    receipt = sink.write(path, one, "image/png")
    assert (receipt.sha256, receipt.size) == (_sha(one), len(one)), (
        f"{name}: a false receipt: {receipt}"
    )
    _expect(record, sink, path, receipt, one, FileState.SAME, "it was just written")
    _expect(record, sink, path, None, one, FileState.SAME, "its receipt was lost")
    forged = WriteReceipt(receipt.sha256, receipt.size, "another mark")
    _expect(record, sink, path, forged, one, FileState.SAME, "its mark changed, its bytes did not")
    _expect(record, sink, path, receipt, two, FileState.EDITED, "other bytes are wanted there")
    fresh = record.make(context)
    _expect(record, fresh, path, receipt, one, FileState.SAME, "another process wrote it")
    fresh.close()
    second = sink.write(path, two, "image/png")
    _expect(record, sink, path, second, two, FileState.SAME, "it was written anew")
    _expect(record, sink, path, receipt, one, FileState.EDITED, "somebody replaced it")
    local = Path(sink.location) / path
    if local.is_file():
        local.write_bytes(b"somebody's own work")
        _expect(record, sink, path, second, two, FileState.EDITED, "somebody edited it")
        local.unlink()
        _expect(record, sink, path, second, two, FileState.MISSING, "somebody deleted it")


def _check_threads(record: SinkRecord, sink: Sink) -> None:
    """Eight threads on files of their own and on one that they share."""
    data = [sample_image_bytes(seed) for seed in range(8)]

    def work(number: int) -> None:
        for turn in range(8):
            mine = data[(number + turn) % len(data)]
            receipt = _written(record, sink, f"own/{number}.png", mine)
            _expect(
                record, sink, f"own/{number}.png", receipt, mine, FileState.SAME, "threads write"
            )
            _written(record, sink, "shared.png", mine)
            seen = sink.check("shared.png", None, _sha(mine))
            assert seen is not FileState.MISSING, (
                f"{record.name}: while a file was replaced it was not there; write it under "
                "another "
                "name and rename it"
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    checks = [sink.check("shared.png", None, _sha(image)) for image in data]
    assert checks.count(FileState.SAME) == 1, (
        f"{record.name}: a file written by threads is a mixture"
    )


def _written(record: SinkRecord, sink: Sink, path: str, data: bytes) -> WriteReceipt:
    try:
        return sink.write(path, data, "image/png")
    except Exception as error:
        raise AssertionError(
            f"{record.name}: while several threads write, write({path!r}) raised {error!r}; write "
            "each "
            "under a new name of its own and rename it"
        ) from error


def _check_hostile(record: SinkRecord, sink: Sink, folder: Path) -> None:
    """Nothing may appear outside the sink's place."""
    before = _outside(sink, folder)
    for path in _HOSTILE:
        try:
            sink.write(path, sample_image_bytes(), "image/png")
        except (RefusedError, SinkFailed, OSError):
            pass
        except Exception as error:
            raise AssertionError(
                f"{record.name}: write({path!r}) raised {error!r}; say it with SinkFailed"
            ) from error
        assert _outside(sink, folder) == before, (
            f"{record.name}: write({path!r}) wrote outside of the sink's place; raise "
            "RefusedError for a path that leads out, whoever hands it over"
        )


def _check_finish(record: SinkRecord, context: SinkContext, sink: Sink, folder: Path) -> None:
    run = SampleRun(folder).finished()
    first = sink.finalize(run)
    contents = _contents(sink, first)
    fresh = record.make(context)
    again = fresh.finalize(run)
    fresh.close()
    told = [(artifact.path, artifact.receipt.sha256) for artifact in first]
    assert told == [(artifact.path, artifact.receipt.sha256) for artifact in again], (
        f"{record.name}: finalizing twice gives other files or bytes (a clock? an unordered set?)"
    )
    assert contents == _contents(sink, again), f"{record.name}: finalizing twice changed a file"
    for artifact, data in zip(first, contents, strict=True):
        if data is not None:
            assert artifact.receipt.sha256 == _sha(data), (
                f"{record.name}: {artifact.path}: false receipt"
            )


def _contents(sink: Sink, artifacts: tuple[Artifact, ...]) -> list[bytes | None]:
    """The bytes of each artifact, where the sink writes to this machine."""
    paths = [Path(sink.location) / artifact.path for artifact in artifacts]
    return [path.read_bytes() if path.is_file() else None for path in paths]


def _expect(
    record: SinkRecord,
    sink: Sink,
    path: str,
    known: WriteReceipt | None,
    wanted: bytes,
    file_state: FileState,
    when: str,
) -> None:
    seen = sink.check(path, known, _sha(wanted))
    assert seen is file_state, f"{record.name}: check() said {seen!r} for {path}, although {when}"


def _outside(sink: Sink, folder: Path) -> set[Path]:
    """Every file in `folder`, and the one that an absolute path would make, but the sink's own."""
    location = Path(sink.location)
    seen = {path for path in folder.rglob("*") if location not in path.parents and path != location}
    return seen | {path for path in (Path("/escaped.png"),) if path.exists()}


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
