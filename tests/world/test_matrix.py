"""What goes wrong × the provider's API × before or after a crash, as the reliability page shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world.harness import World
from tests.world.matrix import (
    APIS,
    BEGIN,
    END,
    KINDS,
    PAGE,
    TIMES,
    expected,
    page_table,
    played,
)

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_bought_once_and_delivered(
    world: World, kind: str, api: str, time: str
) -> None:
    found = played(world, kind, api, time)
    assert found == expected(kind, time), world.story()
    assert not world.misplaced()


def test_the_page_shows_this_matrix() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    shown = text.partition(BEGIN)[2].partition(END)[0]
    assert shown.strip() == page_table().strip()
