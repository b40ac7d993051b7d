from dataclasses import replace

from relightflow.model.plan_file import PlanFile, PlannedImage
from relightflow.plan.drift import drift
from relightflow.report import plan_file as words
from tests.plan.test_file import PLANS, planned

NAMES = tuple(f"{n:03}.png" for n in range(100))
MANY = planned(images=tuple(PlannedImage(name, f"{n:064x}", 1) for n, name in enumerate(NAMES)))


def test_a_refusal_lists_the_first_twenty_and_counts_all() -> None:
    found = drift(planned(), replace(MANY, reserved=70_000))
    lines = words.refusal("plan.json", [(planned(), found)]).splitlines()
    assert lines[0] == (
        "plan.json is not what would be made now: 103 differences (2 images missing, 100 images added, "
        "1 price); nothing was sent"
    )
    assert len(lines) == 1 + words.SHOWN + 2
    assert lines[-2] == "  and 83 more"
    assert "--accept" not in lines[-1]


def test_a_refusal_offers_what_can_be_accepted() -> None:
    found = drift(planned(), planned(images=planned().images[:1]))
    assert "--accept missing" in words.refusal("plan.json", [(planned(), found)])


def test_a_plan_file_is_told_by_recipe() -> None:
    file = PlanFile((planned(), planned(call=None)), "f" * 64, "plan.json")
    lines = list(words.plan_file(file, ["", "2 differences"]))
    assert lines[0] == f"plan {'f' * 64}"
    assert lines[1] == "spring: 4 jobs to make, 0.16 to 0.24 USD"
    assert "  selection  --set repeat=1 --only shade=1,2.5" in lines
    assert "  images     2, 1 cannot be used" in lines
    assert lines[-1] == "  stale      2 differences"


def test_a_plan_file_tells_each_of_several_backends() -> None:
    lines = list(words.plan_file(PlanFile((PLANS["several"],), "f" * 64, "plan.json"), [""]))
    told = [line.split(maxsplit=1)[1] for line in lines if line.startswith("  backend")]
    assert told == [
        "one: studio, glow, 0.04 to 0.05 USD per job: 2 new, 0.08 to 0.11 USD",
        "thrift: atelier, dim, unknown per job: 2 new, unknown",
    ]
