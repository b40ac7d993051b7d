"""Size and time of a plan file for many images and cells: `python -m benchmarks plan_file`.

Writes and reads the plan of 10,000 images × 256 cells, which is 2,560,000 jobs. The images are not on
disk: finding and hashing them is the sources' work.
"""

from __future__ import annotations

import time
from hashlib import sha256
from itertools import product
from pathlib import Path

from benchmarks.processes import Row
from relightflow.model.catalog import Model, Parameter, Price
from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.image import Image
from relightflow.model.plan import Plan
from relightflow.model.plan_file import PlannedRequest
from relightflow.model.plan_status import PlanStatus
from relightflow.model.recipe import BackendSpec, Recipe
from relightflow.model.values import FrozenMap
from relightflow.plan import file as plan_file
from relightflow.plan.planned import recipe_plan

IMAGES, VALUES, AXES = 10_000, 4, ("direction", "temperature", "type", "intensity")
MOST_BYTES, MOST_SECONDS = 10_000_000, 5.0


def plan(images: int) -> Plan:
    """A plan of so many images and 256 cells."""
    values = tuple(f"value-{n}" for n in range(VALUES))
    model = Model(
        "glow", tuple(Parameter(a, "choice", values) for a in AXES), Price(50_000, 50_000)
    )
    recipe = Recipe(
        "large", Path("large.yaml"), "0" * 64, (), BackendSpec("studio", model, FrozenMap())
    )
    found = tuple(_image(n) for n in range(images))
    cells = tuple(FrozenMap(dict(zip(AXES, row, strict=True))) for row in product(values, repeat=4))
    count = len(found) * len(cells)
    return Plan(
        recipe,
        found,
        (),
        cells,
        AXES,
        1,
        None,
        (),
        count,
        count,
        Price(50_000, 50_000).times(count),
    )


def _image(number: int) -> Image:
    name = f"photos/2026/collection-{number // 100:03d}/image-{number:05d}.jpg"
    digest = sha256(name.encode()).hexdigest()
    return Image(name, digest, 2_000_000 + number, 4000, 3000, "image/jpeg", 0, name)


def measured(images: int = IMAGES) -> tuple[int, float, float]:
    """Bytes of the file, seconds to write it, seconds to read and check it."""
    made = plan(images)
    status = PlanStatus(made.jobs_count, 0, made.jobs_count, 0, 0, 0, made.price, 0)
    estimate = CostEstimate(made.jobs_count, made.price, (), Price(50_000, 50_000), 50_000)
    started = time.perf_counter()
    data = plan_file.encode((recipe_plan(made, status, estimate, PlannedRequest("large.yaml")),))
    written = time.perf_counter()
    plan_file.decode(data, "plan.json")
    return len(data), written - started, time.perf_counter() - written


def measure() -> list[Row]:
    """The rows of the table."""
    size, writing, reading = measured()
    most = f"≤ {MOST_BYTES / 1e6:.0f} MB"
    return [
        (f"plan file of {IMAGES:,} images × 256 cells", f"{size / 1e6:.1f} MB", most),
        ("… written", f"{writing:.2f} s", f"≤ {MOST_SECONDS:.0f} s"),
        ("… read and checked", f"{reading:.2f} s", f"≤ {MOST_SECONDS:.0f} s"),
    ]
