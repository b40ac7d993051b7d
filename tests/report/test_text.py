import pytest

from relightflow.model.catalog import FREE, Price
from relightflow.report import text


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "unknown"),
        (FREE, "free"),
        (Price(50_000, 50_000), "0.05 USD"),
        (Price(33_000, 333_000), "0.033 to 0.333 USD"),
    ],
)
def test_prices(found: Price | None, said: str) -> None:
    assert text.price(found) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (3599.7, "1 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert text.duration(seconds) == said


def test_counts_agree_with_their_noun() -> None:
    assert [text.count(n, "job") for n in (0, 1, 2048)] == ["0 jobs", "1 job", "2,048 jobs"]


def test_facts_stand_in_one_column_and_empty_ones_are_left_out() -> None:
    assert text.facts([("a", "1"), ("long", "2"), ("none", "")]) == ["  a     1", "  long  2"]


def test_a_listing_escapes_and_says_how_many_more() -> None:
    assert text.listing(["a\x1b"], 3) == ["    a\\x1b", "    and 2 more"]


def test_a_path_outside_the_reader_s_folder_stays_whole() -> None:
    assert text.relative_path("/p/out", "/q") == "/p/out"
    assert text.relative_path("/pq/out", "/p") == "/pq/out"


def test_a_paragraph_for_a_file_is_one_line() -> None:
    assert text.paragraph("word " * 50, None) == ["word " * 50]


def test_a_paragraph_for_a_terminal_fits_it() -> None:
    assert max(map(len, text.paragraph("word " * 50, 60, "  "))) <= 60
