"""A job: the unit of work and of payment."""

from __future__ import annotations

from dataclasses import dataclass, replace

from relightflow.model.image import Image
from relightflow.model.values import Parameters

SHORT = 16
"""Hex digits of a key that people see: 64 bits, enough for a billion jobs without a duplicate."""


@dataclass(frozen=True, slots=True)
class Job:
    """image × parameters × repeat, as one backend's model is asked for it.

    Two jobs with one key are the same purchase, whatever their names, paths or order.
    """

    key: str
    """64 hex digits; see `relightflow.plan.keys`."""
    image: Image
    """The input image."""
    backend: str
    """The backend's name."""
    model: str
    """The model's name."""
    parameters: Parameters
    """Normalised: exactly what the backend is asked for."""
    repeat: int
    """0-based."""

    @property
    def id(self) -> str:
        """The first 16 digits of the key, for people."""
        return self.key[:SHORT]


@dataclass(frozen=True, slots=True)
class Output:
    """One place in the plan: a job as one image name and one cell want it.

    Several outputs may share a job (the same bytes under two names); it is bought once.
    """

    index: int
    """0-based position in the plan."""
    job: Job
    """The job whose result goes there."""
    image: Image
    """Bears the name of this output; `job.image` may be a duplicate of it."""
    cell: Parameters
    """As the recipe spells it, for names and captions; `job.parameters` is what is sent."""
    instead_of: Job | None = None
    """The plan's own job, where its result failed a check and `job` is the repeat that took its place."""

    @property
    def repeat(self) -> int:
        """0-based; the place in the plan, whichever repeat has taken it."""
        return (self.instead_of or self.job).repeat


def job_without_secrets(job: Job) -> Job:
    """`job` as it may leave this process: nothing says where its image can be had."""
    return replace(job, image=replace(job.image, locator="", url=""))


def without_secrets(output: Output) -> Output:
    """`output` as it may leave this process: nothing says where its images can be had."""
    image = replace(output.image, locator="", url="")
    job = job_without_secrets(output.job)
    instead = output.instead_of and replace(output.instead_of, image=job.image)
    return replace(output, image=image, job=job, instead_of=instead)
