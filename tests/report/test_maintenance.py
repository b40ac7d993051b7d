from relightflow.model.maintenance import Verification
from relightflow.report.maintenance import verification


def test_a_sound_state_is_one_line() -> None:
    said = verification("r.yaml", Verification(24, (), (), 1, (), ()))
    assert said == ("r.yaml: 24 stored results and 1 delivered file checked, no problems found")


def test_every_finding_is_told_with_its_items(evil: str) -> None:
    said = verification("r.yaml", Verification(2, ("aa",), ("bb",), 2, (evil,), ("gone.png",)))
    lines = said.splitlines()
    assert lines[0].endswith("4 problems found")
    assert [line[:12] for line in lines if line.startswith("!")] == [
        "! 1 result i", "! 1 result i", "! 1 file was", "! 1 file is ",
    ]  # fmt: skip
    assert "\x1b" not in said


def test_a_long_list_is_shortened() -> None:
    many = tuple(f"{n}.png" for n in range(40))
    assert verification("r", Verification(0, (), (), 40, (), many)).endswith("and 30 more")
