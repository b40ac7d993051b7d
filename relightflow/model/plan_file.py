"""A plan as a file: what was priced, so that exactly that can be approved, compared and bought later.

It holds images and cells, never their product, and nothing that differs between two machines: no
clock, no host, no path of a machine, no credential.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from relightflow.model.catalog import FREE, Price
from relightflow.model.money import Micros
from relightflow.model.values import Parameters


@dataclass(frozen=True, slots=True)
class PlannedImage:
    name: str
    """As its source calls it. Untrusted text."""
    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class PlannedCell:
    cell: Parameters
    """As the recipe spells it."""
    parameters: Parameters
    """As they are sent."""


@dataclass(frozen=True, slots=True)
class PlannedLimit:
    source: str
    """Who set it: `limits.max_cost`, `--budget`."""
    amount: Micros
    window: float | None = None
    """Seconds; None: over all runs of the recipe."""


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """What the command line asked of the recipe."""

    path: str
    """Of the recipe file: relative to the project's root, with `/`."""
    overrides: tuple[str, ...] = ()
    """As `--set`."""
    backend: str = ""
    """As `--backend`; empty: the recipe's own."""
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    limit: int | None = None
    picks_sha256: str = ""
    """Over the picks file of `--picks`; empty: none was given."""


@dataclass(frozen=True, slots=True)
class PlannedCounts:
    """How the plan's distinct jobs stood when it was made."""

    outputs: int
    jobs: int
    new: int
    """To be bought."""
    in_place: int
    """Stored already."""
    shared: int
    """In the shared store: adopted without a purchase."""
    collect: int
    """Paid or accepted, not fetched."""
    unknown: int
    """May have been billed."""
    failed: int
    """Paid, and no image came."""


@dataclass(frozen=True, slots=True)
class PlannedBackend:
    """One of several backends of a recipe."""

    label: str
    """Its value of the axis `backend`."""
    backend: str
    model: str
    new: int
    """Jobs of it that are to be bought."""
    call: Price | None
    """One call by the price list; None: unknown, and no `--price` was given."""
    reserved: Micros
    """What a call is reserved at: the list's highest price, or the highest cost ever seen."""

    @property
    def price(self) -> Price | None:
        """Of the new jobs, in all; None: unknown."""
        return self.call and Price(self.call.low * self.new, self.reserved * self.new)


@dataclass(frozen=True, slots=True)
class RecipePlan:
    """The plan of one recipe."""

    recipe: str
    """Its name."""
    recipe_sha256: str
    """Over the recipe file's bytes. For information: a cosmetic edit changes it and not the plan."""
    request: PlannedRequest
    backend: str
    """Empty: there are several, see `backends`."""
    model: str
    images: tuple[PlannedImage, ...]
    rejected: tuple[tuple[str, str], ...]
    """(name, reason) of images that cannot be used."""
    axes: tuple[str, ...]
    cells: tuple[PlannedCell, ...]
    repeat: int
    picked: tuple[tuple[int, ...], ...] | None
    """For each image the places of its outputs: position of the cell × repeat + repeat index. None:
    every cell of every image."""
    counts: PlannedCounts
    call: Price | None
    """One call by the price list; None: unknown, and no `--price` was given."""
    reserved: Micros
    """What a call is reserved at: the list's highest price, or the highest cost ever seen."""
    limits: tuple[PlannedLimit, ...] = ()
    unknown_jobs: tuple[str, ...] = ()
    """Ids of the jobs that may have been billed."""
    jobs_digest: str = ""
    """Over the set of the plan's jobs; see `relightflow.plan.job_set`."""
    backends: tuple[PlannedBackend, ...] = ()
    """Of a recipe with several, in its order; `call` and `reserved` are then the dearest of theirs."""

    @property
    def each_backend(self) -> tuple[PlannedBackend, ...]:
        """The same for a recipe with one."""
        one = PlannedBackend(
            self.backend, self.backend, self.model, self.counts.new, self.call, self.reserved
        )
        return self.backends or (one,)

    @property
    def price(self) -> Price | None:
        """Of the new jobs, in all; None: unknown."""
        total = FREE
        for each in self.each_backend:
            if each.price is None:
                return None
            total += each.price
        return total


@dataclass(frozen=True, slots=True)
class PlanFile:
    plans: tuple[RecipePlan, ...]
    """In the order of the command line."""
    sha256: str = ""
    """Over the file's bytes: names the plan in the ledger, the summary and the manifest."""
    file: str = field(default="", compare=False)
    """As the user named it."""
