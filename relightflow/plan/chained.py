"""Plans a recipe whose inputs another recipe of the same command has still to make.

Each output of the earlier plan stands for an image of the later one. How many jobs there are and what they
cost is then right; their keys are not, because bytes that do not exist have no hash. So such a plan is
shown, and never run, compared or written to a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

from relightflow.model.image import Image
from relightflow.model.plan import Plan, Selection
from relightflow.model.recipe import Recipe
from relightflow.plan.build import build
from relightflow.plan.outputs import outputs


def manifests(recipe: Recipe) -> list[str]:
    """The manifests that the recipe reads all its images from, absolute; none where it has other sources,
    or takes a part of them only."""
    whole = all(
        s.type == "manifest" and not {"include", "exclude"} & {*s.options} for s in recipe.sources
    )
    return [_placed(recipe, source.options["path"]) for source in recipe.sources] if whole else []


def chained(recipe: Recipe, earlier: Sequence[Plan], selection: Selection) -> Plan | None:
    """The plan of `recipe` on what `earlier` ones will have made; None where they do not make it all.

    Raises what `build` raises.
    """
    images: list[Image] = []
    names: list[str] = []
    for index, manifest in enumerate(manifests(recipe)):
        makes = [plan for plan in earlier if manifest in _writes(plan.recipe)]
        if not makes:
            return None
        names.append(makes[-1].recipe.name)
        images += _stand_ins(makes[-1], index)
    if not names:
        return None
    made = build(recipe, images, selection)
    words = (
        f"{recipe.name}: '{', '.join(dict.fromkeys(names))}' makes its images first; this plan counts one for "
        "each output there"
    )
    return replace(made, warnings=(*made.warnings, words))


def _writes(recipe: Recipe) -> Iterable[str]:
    """The manifests that its sinks will hold."""
    for sink in recipe.sinks:
        folder = sink.options.get("path")
        if sink.type == "directory" and isinstance(folder, str):
            yield os.path.join(_placed(recipe, folder), "manifest.jsonl")  # noqa: PTH118  text


def _placed(recipe: Recipe, path: str) -> str:
    return os.path.normpath(os.path.join(os.path.abspath(recipe.path.parent), path))  # noqa: PTH100, PTH118  links are nobody's business here


def _stand_ins(plan: Plan, index: int) -> Iterable[Image]:
    for output in outputs(plan):
        image = output.image
        yield replace(
            image, name=f"{image.stem}-{output.job.id}-{output.index}.png", sha256=output.job.key,
            source=index, locator="", delivery="", url="",
        )  # fmt: skip
