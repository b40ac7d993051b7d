"""From the free preview to the purchase: what is picked in the page is bought, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.commands.conftest import Rehearsal, Write, rehearsal, write
from tests.cli.conftest import relightflow
from tests.cli.program import Relightflow
from tests.gallery.conftest import Opened
from tests.gallery.page.test_page import press, saved

__all__ = ["rehearsal", "relightflow", "write"]


def test_what_is_picked_in_a_preview_is_bought_and_nothing_else(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, opened: Opened, tmp_path: Path
) -> None:
    recipe = write()
    wide = recipe.read_text().replace("[left, right]", "[left, right], light_temperature: all")
    recipe.write_text(wide)
    assert relightflow("run", "spring.yaml").returncode == 0
    assert relightflow("report", "spring.yaml").returncode == 0
    tab = opened(tmp_path / "report/index.html")
    press(tab, "p ArrowRight ArrowDown p ArrowRight x")
    picked = saved(tab)
    (tmp_path / "picks.json").write_text(json.dumps(picked))
    wanted = [pick["cell"] for pick in picked["picks"] if pick["verdict"] == "pick"]
    assert (len(wanted), len(picked["picks"])) == (2, 3)
    bought = relightflow(
        "run", "spring.yaml", "--picks", "picks.json", "--backend", "segmind", "--max-cost", "1",
        "--set", "sinks=[{type: directory, path: paid/}]", env=rehearsal.env,
    )  # fmt: skip
    assert bought.returncode == 0, bought.stderr
    assert len(rehearsal.bill()) == len(wanted)
    lines = (tmp_path / "paid/manifest.jsonl").read_text().splitlines()[1:]
    records = [json.loads(line) for line in lines]  # of the whole recipe
    assert [record["cell"] for record in records if record["status"] == "done"] == wanted
