"""The sink: one ZIP file with every image and the manifest. The same run gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import Artifact, FileState, FinishedRun, SinkFailed, WriteReceipt
from relightflow.store.atomic import write_atomic


class Zip:
    def __init__(self, context: SinkContext) -> None:
        self._folder = context.folder.absolute()
        self._file = str(context.options["file"])

    @property
    def location(self) -> str:
        return str(self._folder)

    def check(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        del known
        target = Path(self.location) / path
        if not target.is_file():
            return FileState.MISSING
        same = hashlib.sha256(target.read_bytes()).hexdigest() == sha256
        return FileState.SAME if same else FileState.EDITED

    def write(self, path: str, data: bytes, media_type: str) -> WriteReceipt:
        raise SinkFailed(f"{path}: a ZIP file is only written whole, when the run is over")

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            _add(archive, "manifest.jsonl", run.manifest.read_bytes())
            for output, result in run.outputs():
                if result:
                    extension = result.media_type.removeprefix("image/")
                    _add(archive, f"{output.index:05}.{extension}", run.read(result))
        data = packed.getvalue()
        digest = hashlib.sha256(data).hexdigest()
        if self.check(self._file, None, digest) is not FileState.SAME:
            write_atomic(self._folder, self._file, data, durable=False)
        facts = os.stat(self._folder / self._file)
        return (Artifact(self._file, WriteReceipt(digest, len(data), str(facts.st_mtime_ns))),)

    def close(self) -> None:
        """Nothing is held."""


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # a ZipInfo without a time is of 1980: no clock may get into the bytes
    archive.writestr(zipfile.ZipInfo(name), data)
