from markdown_it import MarkdownIt

from relightflow.report.markdown import MarkdownBlock, code, fitted, folded, quoted, row, table

ROWS = [row(code(f"image-{n:04}.png"), n) for n in range(1000)]


def render(text: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


def test_tables_are_cut_by_whole_rows_and_the_rest_is_counted() -> None:
    text = fitted(
        [MarkdownBlock("**head**\n"), MarkdownBlock(table(("image", "n"), 1), ROWS)], 2000
    )
    assert len(text) <= 2000
    shown = text.count("\n| <code>")
    assert text.endswith(f"\n… {1000 - shown:,} more\n")
    assert render(text).count("<tr>") == shown + 1


def test_the_first_table_gets_the_room() -> None:
    blocks = [
        MarkdownBlock(table(("a", "n"), 1), ROWS[:20]),
        MarkdownBlock(table(("b", "n"), 1), ROWS),
    ]
    text = fitted(blocks, 1500)
    assert text.count("\n| <code>") > 20
    assert "1,000" not in text


def test_what_fits_is_left_whole() -> None:
    text = fitted(
        [MarkdownBlock("head\n"), MarkdownBlock(table(("image", "n"), 1), ROWS[:3], "tail\n")],
        10_000,
    )
    assert "…" not in text
    assert text.endswith("tail\n")


def test_the_limit_holds_whatever_there_is() -> None:
    blocks = [MarkdownBlock(f"section {n}\n" * 20, ROWS[:5], "\n</details>\n") for n in range(50)]
    for most in (200, 500, 1000, 5000, 20_000):
        text = fitted(blocks, most)
        assert len(text) <= most
        shown = sum(f"section {n}\n" * 20 in text for n in range(50))
        assert text.count("</details>") == shown
        assert ("more sections" in text) == (shown < 50)


def test_bytes_are_measured_where_the_platform_counts_bytes() -> None:
    rows = [row(code("é" * 50), n) for n in range(100)]
    text = fitted(
        [MarkdownBlock(table(("a", "n"), 1), rows)], 2000, lambda text: len(text.encode())
    )
    assert len(text.encode()) <= 2000


def test_hostile_text_stays_text() -> None:
    evil = (
        "<img src=x onerror=alert(1)>|`*_[a](http://b)\n@all #1 <!-- relightflow:plan:default -->"
    )
    html = render(table(("a",)) + row(code(evil)))
    assert html.count("<td>") == 1
    for bad in ("<img", "<a ", "<em>", "<!--", "</details>"):
        assert bad not in html
    assert "@all #1" in html
    assert html.index("<code>") < html.index("@all") < html.index("</code>"), "no mention in code"


def test_a_title_and_a_quotation_are_escaped() -> None:
    before, after = folded("</summary><script>")
    assert "<script>" not in before + after
    assert "<script>" not in render(quoted(["<script>", "", "b"]))
