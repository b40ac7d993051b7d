from contextlib import suppress
from pathlib import Path

import pytest

from relightflow.cli.paying import SpendOptions, SpentSoFar, committed
from relightflow.errors import StorageError
from relightflow.ledger.ledger import Ledger
from relightflow.model.catalog import FREE, Model
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.money import Micros
from relightflow.model.outcome import Result
from relightflow.model.recipe import BackendSpec, Limits, Recipe
from relightflow.model.values import FrozenMap
from relightflow.store.state_dir import StateDir


def recipe(cap: Micros | None) -> Recipe:
    backend = BackendSpec("studio", Model("glow", (), FREE), FrozenMap())
    return Recipe("r", Path("r.yaml"), "0" * 64, (), backend, limits=Limits(max_cost=cap))


@pytest.mark.parametrize(
    ("in_recipe", "option", "environment", "cap", "source"),
    [
        (None, None, None, None, ""),
        (5, None, None, 5, "limits.max_cost"),
        (5, 3, None, 3, "--max-cost"),
        (5, 9, 4, 4, "RELIGHTFLOW_MAX_COST"),
        (5, 9, 9, 5, "limits.max_cost"),
        (None, 0, 9, 0, "--max-cost"),
    ],
)
def test_the_lowest_cap_holds(
    in_recipe: int | None, option: int | None, environment: int | None, cap: int | None, source: str
) -> None:
    run_options = SpendOptions(option, environment).run_options(recipe(in_recipe))
    assert (run_options.cap, run_options.cap_source) == (cap, source)


def test_the_operator_s_cap_holds_for_all_recipes_of_a_command_together() -> None:
    assert SpendOptions(max_cost=5).run_options(recipe(None), used=3).cap == 2
    assert SpendOptions(max_cost=5).run_options(recipe(None), used=7).cap == 0


def test_a_recipe_s_own_cap_is_not_lowered_by_the_other_recipes() -> None:
    assert SpendOptions().run_options(recipe(4), used=3).cap == 4


async def bought(state_dir: StateDir) -> None:
    """A call for 5 that was billed, and one for 2 that nobody knows about."""
    state_dir.create()
    ledger = Ledger(state_dir.ledger)
    image = Image("a", "0" * 64, 1, 1, 1, "", 0, "")
    for n, price in enumerate((5, 2)):
        job = Job(f"{state_dir.root}{n}", image, "studio", "glow", FrozenMap(), 0)
        attempt = await ledger.intend(job, "run", price)
        if n == 0:
            await ledger.stored(attempt, Result("b" * 64, 1, 1, 1, "image/png"), price)
    ledger.close()


async def test_what_a_run_spent_before_it_failed_and_its_doubts_count_for_the_next_recipe(
    tmp_path: Path,
) -> None:
    here, there = StateDir(tmp_path / "here"), StateDir(tmp_path / "there")
    await bought(there)  # long ago
    tab = SpentSoFar()
    with suppress(StorageError), tab.noting(here):
        await bought(here)
        raise StorageError("the manifest could not be written")
    with tab.noting(there):
        pass
    assert tab.used(there) == 5 + 2
    assert tab.used(here) == 5  # its own books know of the doubt


def test_nothing_is_committed_where_no_ledger_is(tmp_path: Path) -> None:
    assert committed(StateDir(tmp_path / ".relightflow"), "recipe") == 0
    assert list(tmp_path.iterdir()) == []
