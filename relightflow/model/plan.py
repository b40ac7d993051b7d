"""A plan: what a recipe would make of the images that were found. Nothing in it is bought yet.

It is small whatever it describes: cells may be worked out one at a time, and the outputs and jobs
are drawn from it lazily by `relightflow.plan.outputs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from relightflow.model.catalog import Price
from relightflow.model.image import Image, Rejected
from relightflow.model.picks import Picks
from relightflow.model.recipe import Recipe
from relightflow.model.values import FrozenMap, Parameters


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` parts of a plan, for machines that work side by side."""

    number: int
    """1-based."""
    count: int

    def has(self, job_key: str) -> bool:
        """Whether the job belongs to this shard: its key alone decides, so equal jobs are in one."""
        return int(job_key, 16) % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


@dataclass(frozen=True, slots=True)
class Selection:
    """What the command line asks of a plan; the recipe stays as it is."""

    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Axis → the texts of the values to keep; `image` → patterns of image names. All must hold."""
    limit: int | None = None
    """Keep the first so many outputs of the plan."""
    picks: Picks | None = None
    """Only what was picked; None: what the recipe says."""
    shard: Shard | None = None
    """Only the jobs of this shard; None: all."""


@dataclass(frozen=True, slots=True)
class Plan:
    recipe: Recipe
    """The recipe that is planned."""
    images: tuple[Image, ...]
    """In the order of the sources; the same bytes may appear under several names."""
    rejected: tuple[Rejected, ...]
    """What sources found and could not use."""
    cells: Sequence[Parameters]
    """In plan order, sampled and selected, as the recipe spells them."""
    axes: tuple[str, ...]
    """Names of the cells' parameters in the recipe's order; the first is outermost."""
    repeat: int
    """Independent results per cell."""
    limit: int | None
    """Only the first so many outputs are wanted; None: all."""
    warnings: tuple[str, ...]
    """The recipe's and the plan's own, each as `file:line:col: path: message`."""
    outputs_count: int
    """Images × cells × repeats, after the selection."""
    jobs_count: int
    """Distinct jobs, so purchases: never more than outputs."""
    price: Price | None
    """Of all distinct jobs, bought or not yet; None: the model's price is unknown."""
    jobs_of: tuple[int, ...] = ()
    """Of a recipe with several backends: distinct jobs of each, in its order; else empty."""
    picked: tuple[tuple[int, ...], ...] | None = None
    """For each image the places of its outputs, position of the cell × repeat + repeat index; None:
    every cell of every image."""
    whole: Plan | None = None
    """Everything that the recipe describes, where this is only what a command selected of it; None: this
    is the whole."""
    passed_over: tuple[tuple[str, int], ...] = ()
    """What sources left alone: kinds of files, as `XMP`, and how many of each."""
    numbers: Sequence[int] | None = None
    """Of a part: for each of its outputs, its index in the whole. None: counted from 0."""
    shard: Shard | None = None
    """Which part of `divided` this is; a shard is bought and not delivered. None: all of it."""
    divided: Plan | None = None
    """The plan that this is a shard of."""

    retries: FrozenMap = field(default_factory=FrozenMap)
    """Key of a job whose result failed a check → the repeat whose job has taken its place."""

    def with_retries(self, retries: Mapping[str, int]) -> Plan:
        """The same plan, and the whole that it is a part of, with other retries."""
        frozen = FrozenMap(retries)
        whole = replace(self.whole, retries=frozen) if self.whole else None
        return replace(self, retries=frozen, whole=whole)

    def with_recipe(self, recipe: Recipe) -> Plan:
        """The same plan for a recipe that differs in nothing that a plan depends on."""
        whole = replace(self.whole, recipe=recipe) if self.whole else None
        return replace(self, recipe=recipe, whole=whole)

    @property
    def described(self) -> Plan:
        """What manifests and sinks tell of: the whole plan, whatever was selected."""
        return self.whole or self
