from __future__ import annotations

import pytest
import yaml

from relightflow.errors import InvalidRecipe
from relightflow.recipe import reading
from relightflow.recipe.reading import DEEPEST, MOST, flow_only, read
from relightflow.recipe.tree import Fields, find, key_position, position, value


def refusal(text: str) -> str:
    with pytest.raises(InvalidRecipe) as caught:
        read(text, "r")
    return str(caught.value)


def test_every_value_and_key_knows_where_it_stands() -> None:
    tree, _ = read('a: 1\n"ключ 🦁": [x,\n  y]\nb:\n  c: z\n', "r")
    at = {
        steps: (position(tree, steps).line, position(tree, steps).column)
        for steps in [(), ("a",), ("ключ 🦁",), ("ключ 🦁", 0), ("ключ 🦁", 1), ("b", "c")]
    }
    assert list(at.values()) == [(1, 1), (1, 4), (2, 11), (2, 12), (3, 3), (5, 6)]
    assert (key_position(tree, ("b", "c")).line, key_position(tree, ("b", "c")).column) == (5, 3)


def test_what_is_not_there_takes_the_place_of_what_is_above_it() -> None:
    tree, _ = read("a:\n  b: 1\n", "r")
    assert position(tree, ("a", "x", 3)).line == 2


def test_depth_64_is_read_and_65_is_not() -> None:
    assert value(read("[" * DEEPEST + "]" * DEEPEST, "r")[0])
    assert "nested more than 64 deep" in refusal("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1))


def test_aliases_count_towards_the_depth() -> None:
    deep = "[" * 40 + "]" * 40
    assert "nested more than 64 deep" in refusal(f"- &a {deep}\n- {'[' * 40}*a{']' * 40}\n")


def test_each_use_of_an_alias_counts() -> None:
    thousand = "[" + "1," * 998 + "1]"
    uses = MOST // 1000 - 1
    assert read(f"- &a {thousand}\n" + "- *a\n" * (uses - 1), "r")
    assert "50,000 values" in refusal(f"- &a {thousand}\n" + "- *a\n" * (uses + 1))


def test_an_alias_stands_for_the_last_anchor_of_its_name() -> None:
    assert value(read("[&a 1, *a, &a 2, *a]", "r")[0]) == [1, 1, 2, 2]


def test_an_alias_within_its_own_anchor_is_refused() -> None:
    assert "*a does not refer to a complete value" in refusal("[&a 1, &a [*a]]")


def test_a_refused_key_takes_its_value_with_it_and_reading_goes_on() -> None:
    tree, flaws = read("a: 1\n1: {x: [y]}\n<<: {z: 1}\na: 2\nb: 3\n", "r")
    assert value(tree) == {"a": 1, "b": 3}
    assert [(f.line, f.path) for f in flaws] == [(2, "['1']"), (3, "['<<']"), (4, "a")]


def test_a_quoted_key_may_look_like_anything() -> None:
    assert value(read('{"1": a, "<<": b, "null": c}', "r")[0]) == {"1": "a", "<<": "b", "null": "c"}


def test_reading_stops_after_a_hundred_flaws() -> None:
    assert len(refusal("a: 1\n" * 5000).splitlines()) == 100


def test_a_syntax_error_keeps_what_was_found_before_it() -> None:
    told = refusal("a: .nan\na: 1\nb: [\n")
    assert [line.split(":")[1] for line in told.splitlines()] == ["1", "2", "3"]


@pytest.mark.parametrize("text", ["a: !x 1", "a: !!str 1", "a: ! 1", "!x {a: 1}", "a: !!set [b]"])
def test_no_tag_is_read(text: str) -> None:
    assert "tags are not supported" in str(read(text, "r")[1][0])


@pytest.mark.parametrize("text", ["1", "'a: b'", "[a, b]", "{a: b}", "", "a b"])
def test_one_value_or_brackets_fit_on_a_command_line(text: str) -> None:
    assert flow_only(text)


@pytest.mark.parametrize("text", ["a: b", "- a", "|\n a", ">\n a", "? a"])
def test_blocks_do_not(text: str) -> None:
    assert not flow_only(text)


@pytest.mark.parametrize(
    "text", ["a: 1\nb: [x, 'y', \"z\"]\nc: {d: ~}\n", "a: &x [1]\nb: *x\n", "a: |\n  text\n"]
)
def test_the_parser_in_python_reads_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_c = read(text, "r")
    monkeypatch.setattr(reading, "_LOADER", yaml.SafeLoader)
    assert read(text, "r") == with_c


def test_find_says_nothing_for_a_step_that_does_not_fit() -> None:
    tree, _ = read("a: [1]", "r")
    assert isinstance(tree, Fields)
    assert find(tree, ("a", 1)) is None
    assert find(tree, ("a", "b")) is None
    assert find(tree, (0,)) is None
