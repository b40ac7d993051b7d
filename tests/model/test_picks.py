from __future__ import annotations

from relightflow.model.picks import NONE, PICK, REJECT, VERDICTS, Pick, Picks
from relightflow.model.values import FrozenMap


def test_a_run_makes_what_is_picked_in_the_files_order_and_nothing_else() -> None:
    cell = FrozenMap({"light": "left"})
    entries = tuple(Pick(cell, f"{n}.png", verdict=v) for n, v in enumerate((*VERDICTS, PICK)))
    chosen = Picks("picks.yaml", "0" * 64, entries).chosen
    assert [pick.image_name for pick in chosen] == ["0.png", "3.png"]


def test_a_row_without_a_verdict_is_a_pick_and_stars_do_not_decide() -> None:
    cell = FrozenMap()
    plain, starred = Pick(cell, "a.png"), Pick(cell, "b.png", verdict=REJECT, stars=5)
    assert Picks("p", "", (plain, starred, Pick(cell, "c", verdict=NONE))).chosen == (plain,)
