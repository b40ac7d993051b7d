from relightflow.report import escape, table


def test_columns_line_up_whatever_the_letters() -> None:
    lines = table.measured(("name", "n"), [("日本", "1"), ("ab", "2")])
    assert lines == ["name  n", "日本  1", "ab    2"]


def test_a_cell_that_is_too_wide_is_shortened() -> None:
    lines = list(table.rows(("name", "n"), [("abcdefghij", "1")], (5, 1)))
    assert [escape.width(line) for line in lines] == [8, 8]
