import pytest

from relightflow.sinks.contact_sheet.bidi import has_rtl, runs, visual


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("left.jpg", [("left.jpg", False)]),
        ("שלום.png", [("שלום", True), (".png", False)]),
        ("a שלום עולם b", [("a ", False), ("שלום עולם", True), (" b", False)]),
        ("שלום (עולם) 2026.png", [("שלום (עולם)", True), (" 2026.png", False)]),
        ("صورة 12 جديدة.jpg", [("صورة 12 جديدة", True), (".jpg", False)]),
        ("3) שלום", [("3) ", False), ("שלום", True)]),
    ],
)
def test_signs_between_letters_from_right_to_left_belong_to_them(
    text: str, pieces: list[tuple[str, bool]]
) -> None:
    assert runs(text) == pieces
    assert has_rtl(text) is any(rtl for _, rtl in pieces)


def test_letters_are_turned_and_numbers_are_not() -> None:
    assert visual("אב 12 (גד)") == "(דג) 12 בא"


def test_arabic_letters_take_the_form_that_their_neighbours_ask_for() -> None:
    # beh beh beh: initial, medial, final; then alef, which joins nothing after it, and an isolated beh
    assert visual("ببب")[::-1] == "\ufe91\ufe92\ufe90"
    assert visual("باب")[::-1] == "\ufe91\ufe8e\ufe8f"
    assert visual("ب ب")[::-1] == "\ufe8f \ufe8f"


def test_a_mark_stays_with_its_letter() -> None:
    assert visual("ב\u05bcא") == "אב\u05bc"
    assert visual("بَب")[-2:] == "\ufe91\u064e"
