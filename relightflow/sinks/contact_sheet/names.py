"""Names the sheets of a run: readable, safe on every system, and never the same twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from relightflow.core.filenames import safe_part, same_place
from relightflow.model.image import Image


def names(images: Iterable[Image]) -> Mapping[tuple[str, int], str]:
    """(name, source) of each image → its sheet's name without extension.

    It is the image's stem; where two images share one, its hash is added, and where they share
    that as well, their place among the images.
    """
    listed = list(dict.fromkeys(images))
    stems = [safe_part(image.stem) for image in listed]
    shared = Counter(map(same_place, stems))
    taken: set[str] = set()
    given = {}
    for location, (image, stem) in enumerate(zip(listed, stems, strict=True), start=1):
        name = stem if shared[same_place(stem)] == 1 else f"{stem}-{image.sha256[:8]}"
        while same_place(name) in taken:
            name = f"{name}-{location}"
        taken.add(same_place(name))
        given[image.name, image.source] = name
    return given
