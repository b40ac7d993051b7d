from hypothesis import given
from hypothesis import strategies as st

from relightflow.model.plan_file import PlannedCell, PlannedImage, PlannedRequest
from relightflow.model.values import FrozenMap
from relightflow.plan.job_set import job_set, outputs_count
from tests.plan.test_file import PLANS, planned

IMAGES = tuple(PlannedImage(f"{n}.png", letter * 64, 1) for n, letter in enumerate("abcab"))


def test_equal_bytes_under_two_names_are_one_job() -> None:
    plan = planned(images=IMAGES)
    assert (outputs_count(plan), len(job_set(plan))) == (10, 6)


def test_the_digest_depends_on_the_jobs_and_not_on_how_they_came_about() -> None:
    two = planned(images=IMAGES[:2])
    turned = planned(images=IMAGES[1::-1], cells=two.cells[::-1])
    picked = planned(images=IMAGES[:2], picked=((0, 1), (0, 1)))
    assert two.jobs_digest == turned.jobs_digest == picked.jobs_digest
    assert planned(images=IMAGES[:2], repeat=2).jobs_digest != two.jobs_digest
    assert planned(images=IMAGES[:2], model="other").jobs_digest != two.jobs_digest


def test_another_model_shares_no_job() -> None:
    one, other = job_set(planned()), job_set(planned(model="other"))
    assert len(one.minus(other)) == len(one) == 4


@given(
    limit=st.none() | st.integers(1, 25),
    images=st.lists(st.sampled_from(IMAGES), max_size=5),
    picks=st.none() | st.lists(st.frozensets(st.integers(0, 3)), min_size=5, max_size=5),
    repeat=st.just(2),
)
def test_a_set_is_what_its_outputs_come_to(
    limit: int | None,
    images: list[PlannedImage],
    picks: list[frozenset[int]] | None,
    repeat: int,
) -> None:
    places = picks or [frozenset(range(4))] * len(images)
    picked = None if picks is None else tuple(tuple(sorted(p)) for p in picks[: len(images)])
    plan = planned(
        images=tuple(images), repeat=repeat, picked=picked,
        request=PlannedRequest("r.yaml", limit=limit),
    )  # fmt: skip
    every = [(i.sha256, p) for i, row in zip(images, places, strict=False) for p in sorted(row)]
    kept = every if limit is None else every[:limit]
    assert outputs_count(plan) == len(kept)
    assert len(job_set(plan)) == len(set(kept))


def test_a_second_backend_adds_its_own_jobs_and_no_other() -> None:
    alone = planned(cells=(PlannedCell(FrozenMap({}), FrozenMap({"shade": 1})),), axes=())
    several = PLANS["several"]
    more = job_set(several).minus(job_set(alone))
    assert (len(job_set(several)), len(more), len(job_set(alone).minus(job_set(several)))) == (
        4,
        2,
        0,
    )
    assert (more.count("studio", "glow"), more.count("atelier", "dim")) == (0, 2)
    assert job_set(several).digest != job_set(alone).digest
