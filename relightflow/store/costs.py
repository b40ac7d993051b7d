"""What was paid for through a shared store, so that a cap holds for machines that are gone.

    costs/<recipe>/[<model>/]<Unix seconds>.<job key>.<attempt>.<cost>.<least>[.<reservation>.<run>.<machine>]

What is in brackets may be missing: costs that earlier versions wrote do not have it. The name holds all facts, so
that a listing is enough, a thousand calls in one request. A call is counted by its claim from before it leaves
until its cost is written here. Methods block, may be called from several threads, and raise ObjectFault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from relightflow.model.money import Micros
from relightflow.objects.bucket import Bucket

_COSTS = "costs"
_NAME = re.compile(
    r"costs/(?P<recipe>[a-z0-9_-]{1,200})/(?:(?P<model>[0-9a-f]{16})/)?(?P<at>\d{1,11})\.(?P<key>[0-9a-f]{64})"
    r"\.(?P<attempt>[0-9a-f]{32})\.(?P<cost>\d{1,15})\.(?P<least>\d{1,15})"
    r"(?:\.(?P<reservation>[0-9a-f]{32}|0)\.(?P<run>[\w-]{0,100})\.(?P<machine>[\w-]{0,100}))?",
    re.ASCII,
)
_NO_NAME = re.compile(r"[^\w-]", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoreCharge:
    """One call that was billed."""

    recipe: str
    """Name of the one that it was bought for."""
    at: int
    """When it was made; Unix seconds, by the clock of its machine."""
    key: str
    """The job's."""
    attempt: str
    """Its name, 32 hex digits."""
    cost: Micros
    """As the provider reported it; the highest price where it did not."""
    least: Micros
    """The lowest price on the list: what it counts at, at least."""
    reservation: str = ""
    """Under which it was made (`Reservation.id`); empty: its run had reserved nothing."""
    run: str = ""
    """The one that made it, or that collected it for a machine that is gone."""
    machine: str = ""
    """Its host's name; what is no letter or digit stands as `-`."""
    model: str = ""
    """Which one it was a call of (`model_id`); empty: not told."""

    @property
    def counted(self) -> Micros:
        """Against limits."""
        return max(self.cost, self.least)


class Costs:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def put(self, charge: StoreCharge) -> None:
        """Write a cost down; twice the same is once. One without a name is left out."""
        folder = f"{charge.recipe}/{charge.model}" if charge.model else charge.recipe
        path = (
            f"{_COSTS}/{folder}/{charge.at}.{charge.key}.{charge.attempt}.{charge.cost}"
            f".{charge.least}.{charge.reservation or 0}.{machine_name(charge.run)}.{machine_name(charge.machine)}"
        )
        if _NAME.fullmatch(path):
            self._bucket.put(path, b"{}", "application/json")

    def all(self) -> Iterator[StoreCharge]:
        """Every cost; an attempt that was written down by several machines comes several times. Names that
        make no sense are left out."""
        for facts in self._bucket.list(_COSTS):
            found = _NAME.fullmatch(facts.path)
            if found:
                yield StoreCharge(
                    found["recipe"], int(found["at"]), found["key"], found["attempt"],
                    int(found["cost"]), int(found["least"]),
                    "" if found["reservation"] in (None, "0") else found["reservation"],
                    found["run"] or "", found["machine"] or "", found["model"] or "",
                )  # fmt: skip


def machine_name(name: str) -> str:
    """As costs spell a name."""
    return _NO_NAME.sub("-", name[:100])
