"""Is it still what was accepted: `golden`.

The accepted results stand in a folder with the manifest that was delivered with them, both in git. A
result is held against all accepted repeats of its cell, and the nearest one counts: a provider without
a seed never gives the same bytes twice, so the bound is a tolerance.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from relightflow.checks.wording import at_most
from relightflow.core.project import Project
from relightflow.errors import RelightflowError, UsageError
from relightflow.images import BadImage
from relightflow.model.check import CheckResult, Verdict
from relightflow.plan.spelling import spell_all
from relightflow.plugins.check import CheckView, Measured
from relightflow.plugins.records import CheckContext, CheckRecord
from relightflow.store.atomic import opened_folder

if TYPE_CHECKING:  # loaded by the check itself, not by every command that knows of it
    from relightflow.gallery.entries import Entry
    from relightflow.gallery.local_images import LocalImages

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC
_LARGEST = 64 << 20
"""Bytes of a manifest of accepted results."""


@dataclass(slots=True)
class GoldenCheck:
    context: CheckContext
    basis: str = field(init=False)
    """Digest of the manifest: other accepted results, other verdicts."""
    _accepted: dict[tuple[str, str], list[Entry]] = field(init=False)
    _local_images: LocalImages = field(init=False)

    def __post_init__(self) -> None:
        """Raises UsageError where the manifest cannot be read."""
        from relightflow.gallery.entries import Entry, read_lines
        from relightflow.gallery.local_images import LocalImages

        name = str(self.context.options["manifest"])
        path = self.context.folder / name
        data, folder = _bytes(self.context.folder, name)
        self.basis = hashlib.sha256(data).hexdigest()
        self._local_images = LocalImages(None, folder)
        self._accepted = {}
        for entry in read_lines(data.splitlines(), str(path)):
            if isinstance(entry, Entry) and entry.sha256:
                self._accepted.setdefault(_key(entry.input.sha256, entry.cell), []).append(entry)

    def measure(self, view: CheckView) -> float | None:
        """Levels to the nearest accepted result of the cell; None: none was accepted or can be read."""
        from relightflow.checks import pixels
        from relightflow.checks.small import small

        distances = []
        for entry in self._accepted.get(_key(view.output.image.sha256, view.output.cell), ()):
            data = self._local_images.result(entry)
            try:
                if data is not None:
                    distances.append(pixels.difference(view.result, small(data)))
            except BadImage:
                continue
        return min(distances, default=None)

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        most = float(self.context.options.get("tolerance", 8))
        words = "it differs from the accepted result"
        return [
            CheckResult(Verdict.UNSURE, message="no accepted result of this image and cell")
            if item.value is None
            else at_most(item.value, most, most, "levels", words)
            for item in results
        ]


def _key(image: str, cell: object) -> tuple[str, str]:
    return image, spell_all(cell)  # type: ignore[arg-type]  # a frozen mapping either way


def _bytes(folder: Path, name: str) -> tuple[bytes, Path]:
    """The manifest's bytes and its folder, inside the project; through no symbolic link, since a recipe may be a stranger's."""
    try:
        project = Project.of(folder)
        *folders, file = project.parts(name)
        with (
            opened_folder(project.root, folders) as opened,
            os.fdopen(os.open(file, _READ, dir_fd=opened), "rb") as stream,
        ):
            data = stream.read(_LARGEST + 1)
    except (OSError, ValueError, RelightflowError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{folder / name}: accepted results cannot be read: {why}") from None
    if len(data) > _LARGEST:
        raise UsageError(f"{folder / name}: is larger than {_LARGEST >> 20} MiB")
    return data, project.root.joinpath(*folders)


RECORDS = (
    CheckRecord(
        name="golden",
        summary="The result is close to the accepted one, which is kept in git with its manifest",
        create="relightflow.checks.golden:GoldenCheck",
        severity="fail",
        schema={
            "type": "object",
            "additionalProperties": False,
            "required": ["manifest"],
            "properties": {
                "manifest": {
                    "type": "string",
                    "format": "path",
                    "minLength": 1,
                    "description": "manifest.jsonl of the accepted results, relative to the recipe; "
                    "the images stand beside it.",
                },
                "tolerance": {
                    "type": "number",
                    "minimum": 0,
                    "maximum": 255,
                    "default": 8,
                    "description": "Largest difference, in levels of 255 (root mean square).",
                },
            },
        },
    ),
)
