"""What sinks that gather share: each output with its record, its image and its original."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.output_format import EXTENSIONS, Copy, OutputFormat
from relightflow.plugins.sink import FinishedRun, SinkFailed
from relightflow.plugins.source import StaleImage

_OF_ANOTHER = ("path", "delivered")
"""What a record says about the files of another sink."""

SharedRecord = tuple[Output, Result | None, dict[str, Any]]


def shared_records(run: FinishedRun) -> Iterator[SharedRecord]:
    """Every output, its image and its record in the manifest, in plan order."""
    records = (record for record in run.records() if record.get("record") == "output")
    for (output, result), record in zip(run.outputs(), records, strict=True):
        yield output, result, record


def without_place(record: dict[str, Any]) -> dict[str, Any]:
    """`record` without what it says about the files of another sink."""
    return {name: fact for name, fact in record.items() if name not in _OF_ANOTHER}


def delivered_image(
    run: FinishedRun, output: Output, result: Result, form: OutputFormat | None
) -> tuple[bytes, str]:
    """What is to be delivered for `result`, and its media type. Raises SinkFailed."""
    data = run.read(result)
    if form is None:
        return data, result.media_type
    # deferred: it loads Pillow
    from relightflow.images import BadImage
    from relightflow.images.derive import derive

    try:
        return derive(data, result.media_type, form), form.media_type
    except BadImage as error:
        raise SinkFailed(
            f"no copy of job {output.job.id} in another format could be made: {error.reason}"
        ) from error


def delivered(
    result: Result, data: bytes, media_type: str, metadata: bool = False
) -> dict[str, Any]:
    """What a record says of `data`, where that is a copy and not the image itself. `metadata`: it only
    has metadata more."""
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 == result.sha256:
        return {}
    return {"delivered": Copy(sha256, len(data), media_type, metadata).facts()}


class Originals:
    """The input images, upright as results are; the last one is kept, because outputs of one image stand
    together."""

    def __init__(self, run: FinishedRun, media_type: str = "") -> None:
        """`media_type`: what all are converted to; empty: each stays what it is."""
        self._run = run
        self._media_type = media_type
        self._last: tuple[str, bytes] = ("", b"")

    def of(self, output: Output) -> bytes:
        """Raises SinkFailed where the image is no longer what was relit."""
        sha256 = output.image.sha256
        if self._last[0] != sha256:
            try:
                self._last = (sha256, self._upright(output, self._run.original(output)))
            except StaleImage as error:
                raise SinkFailed(
                    f"{error}; a data set with sources needs the original input image (or set "
                    "`sources: false`)"
                ) from error
        return self._last[1]

    def _upright(self, output: Output, data: bytes) -> bytes:
        # deferred: it may load Pillow
        from relightflow.images import BadImage
        from relightflow.images.derive import upright

        try:
            return upright(data, self._media_type or one_type([output.image.media_type]))
        except BadImage as error:
            raise SinkFailed(
                f"no copy of {output.image.name} could be made: {error.reason}"
            ) from None


def one_type(media_types: Iterable[str]) -> str:
    """The one type for images of these types: theirs if it is one that we write, else PNG, which loses
    nothing."""
    found = set(media_types)
    return found.pop() if len(found) == 1 and found <= {*EXTENSIONS} else "image/png"


def unicode_text(text: str) -> str:
    """`text` with the bytes of a name that is no UTF-8 as visible escapes: other readers stop at
    half a character."""
    return text.encode("utf-8", "backslashreplace").decode()


def caption(output: Output) -> str:
    """The light in words, as a training set wants it: `light direction: left, light type: softbox`."""
    said = (f"{name.replace('_', ' ')}: {_word(value)}" for name, value in output.cell.items())
    return unicode_text(", ".join(said))


def _word(value: Any) -> str:
    if value is None:
        return "default"
    return str(value).lower() if isinstance(value, bool) else str(value)
