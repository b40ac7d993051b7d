"""How long `relightflow plan` takes, whole process, and `run` of what is free, and of what is done."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.instant import installed, project
from benchmarks.processes import RELIGHTFLOW, Row, Taken, taken

IMAGES, CELLS = 40, 256
RECIPE = """version: 1
name: large
sources: [{type: glob, include: ["photos/*"]}]
matrix: {light_direction: all, light_intensity: all, light_temperature: all, light_type: all}
limits: {max_jobs: 2000000}
sinks: [{type: directory, path: out}]
"""
IC_LIGHT = """version: 1
name: excludes
sources: [{type: glob, include: ["photos/*"]}]
backend: {type: segmind, model: ic-light}
sinks: [{type: directory, path: out}]
"""
EXCLUDED = 12_000
MILLION = ("--set", "repeat=98")
AGAIN, MANY = 10_000, 1_000_000


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as made:
        return [
            *_plans(Path(made)), *_excludes(Path(made)), *_again(Path(made) / "again"),
            *_free(Path(made) / "free"),
        ]  # fmt: skip


def _plans(folder: Path) -> list[Row]:
    from relightflow.testing import sample_image_bytes

    (folder / "photos").mkdir()
    for seed in range(IMAGES):
        (folder / f"photos/{seed}.png").write_bytes(sample_image_bytes(seed))
    (folder / "recipe.yaml").write_text(RECIPE)
    command = (*RELIGHTFLOW, "plan", "recipe.yaml")
    small = min((taken(command, folder) for _ in range(3)), key=lambda ran: ran.seconds)
    large = taken((*command, *MILLION), folder)
    assert f"{IMAGES * CELLS:,} jobs" in small.out
    return [
        (
            f"`plan` of {IMAGES * CELLS:,} jobs over {IMAGES} images",
            f"{small.seconds:.2f} s, {small.mb:.0f} MB",
            "≤ 0.8 s, ≤ 120 MB",
        ),
        (
            f"`plan` of {IMAGES * CELLS * 98:,} jobs",
            f"{large.seconds:.1f} s, {large.mb:.0f} MB",
            "≤ 12 s, ≤ 300 MB",
        ),
    ]


def _excludes(folder: Path) -> list[Row]:
    """A recipe whose matrix has as many values as a recipe may, and excludes all of them but one; and
    one with a tenth of that, which shows whether the time grows with the number or faster."""
    seconds = []
    for number in (EXCLUDED, EXCLUDED // 10):
        values = ", ".join(map(str, range(number)))
        excludes = ", ".join(f"{{seed: {n}}}" for n in range(number - 1))
        matrix = f"matrix: {{prompt: warm, seed: [{values}], exclude: [{excludes}]}}\n"
        (folder / "excludes.yaml").write_text(IC_LIGHT + matrix)
        command = (*RELIGHTFLOW, "validate", "excludes.yaml")
        seconds.append(min(taken(command, folder).seconds for _ in range(3)))
    all_of_them, tenth = seconds
    return [
        (
            f"`validate` of {EXCLUDED:,} values and as many excludes",
            f"{all_of_them:.2f} s; of a tenth {tenth:.2f} s",
            "≤ 1 s",
        )
    ]


def _again(folder: Path) -> list[Row]:
    recipe = project(folder, AGAIN)
    path = installed(folder)
    command = (*RELIGHTFLOW, "run", recipe.name)
    taken(command, folder, path)
    rounds = _in_turns(command, (*RELIGHTFLOW, "plan", recipe.name), folder, path)
    again, beside = (min(ran.seconds for ran in each) for each in rounds)
    used, used_beside = (min(ran.cpu for ran in each) for each in rounds)
    more = (*RELIGHTFLOW, "plan", recipe.name, "--set", f"repeat={MANY // 16}")
    large = taken(more, folder, path)
    return [
        (f"`run` again with {AGAIN:,} jobs done", f"{again:.2f} s", "≤ 1 s"),
        (
            "… beside `plan` of the same",
            f"{again / beside:.2f} ×, in processor time {used / used_beside:.2f} ×",
            "≤ 1.3 ×",
        ),
        (
            f"`plan` of {MANY:,} jobs, {AGAIN:,} of them done",
            f"{large.seconds:.1f} s, {large.mb:.0f} MB",
            "≤ 12 s, ≤ 300 MB",
        ),
    ]


def _in_turns(
    one: tuple[str, ...], other: tuple[str, ...], folder: Path, path: Path | None = None
) -> tuple[list[Taken], list[Taken]]:
    """Three rounds of each."""
    rounds = [(taken(one, folder, path), taken(other, folder, path)) for _ in range(3)]
    return [a for a, _ in rounds], [b for _, b in rounds]


def _free(folder: Path) -> list[Row]:
    """Previews of images of 64 × 48 pixels: what is left is the cost of a free job."""
    import PIL.Image

    (folder / "photos").mkdir(parents=True)
    for number in range(IMAGES):
        PIL.Image.effect_noise((64, 48), 30 + number).convert("RGB").save(
            folder / f"photos/{number}.png"
        )
    (folder / "recipe.yaml").write_text(RECIPE)
    ran = taken((*RELIGHTFLOW, "run", "recipe.yaml", "--quiet"), folder)
    jobs = IMAGES * CELLS
    used = f"{1e3 * ran.cpu / jobs:.1f} ms of processor time each"
    speed = f"{jobs / ran.seconds:.0f} a second, {used}"
    return [(f"{jobs:,} previews of 64 × 48 pixels", speed, "≥ 400 a second")]
