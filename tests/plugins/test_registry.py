"""Plugins are real distributions here: a module and its metadata, found through importlib."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import UsageError
from relightflow.plugins.records import imported
from relightflow.plugins.registry import load

Install = Callable[[str, str], None]

SINK = """
    from relightflow.plugins.hookspecs import hookimpl
    from relightflow.plugins.records import SinkRecord

    @hookimpl
    def relightflow_sinks():
        return [SinkRecord(name="{name}", summary="A sink", create=print)]
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """`install("my-plugin", code)`: as pip would leave it."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name: str, code: str) -> None:
        module = name.replace("-", "_") + "_" + tmp_path.name  # a name that no other test imported
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code), encoding="utf-8")
        info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[relightflow]\n{name} = {module}\n")

    return install


def test_the_built_ins_come_through_the_same_door() -> None:
    registry = load(found=tuple)
    assert registry.warnings == ()
    assert set(registry.plugins) == {"relightflow"}
    assert "glob" in registry.sources
    assert "preview" in registry.backends
    assert "directory" in registry.sinks
    assert registry.sinks["directory"].plugin == "relightflow"


def test_an_installed_plugin_is_found_and_named(install: Install) -> None:
    install("stranger", SINK.format(name="ftp"))
    registry = load()
    assert registry.warnings == ()
    assert registry.sinks["ftp"].plugin == "stranger"
    assert registry.sink("ftp").summary == "A sink"
    assert "stranger" in registry.plugins


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import a_module_that_nobody_has", "ModuleNotFoundError"),
        ("raise RuntimeError('no\\nway')", "RuntimeError: no way"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_named_and_the_others_load(
    install: Install, code: str, words: str
) -> None:
    install("broken", code)
    install("works", SINK.format(name="ftp"))
    registry = load()
    (warning,) = registry.warnings
    assert warning.startswith("plugin broken (broken) was not loaded: ")
    assert words in warning
    assert "\n" not in warning
    assert registry.sinks["ftp"].plugin == "works"
    assert "broken" not in registry.plugins


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        ("def relightflow_sink():\n        return []", "unknown hook 'relightflow_sink'"),
        ("def relightflow_sinks(config):\n        return []", "config"),
    ],
)
def test_a_misspelt_hook_or_argument_is_named_and_the_plugin_left_out(
    install: Install, hook: str, words: str
) -> None:
    head = "    from relightflow.plugins.hookspecs import hookimpl\n    @hookimpl\n    "
    install("typo", head + hook)
    install("works", SINK.format(name="ftp"))
    registry = load()
    (warning,) = registry.warnings
    assert "typo" in warning
    assert words in warning
    assert "works" in registry.plugins
    assert "typo" not in registry.plugins


def test_two_plugins_that_bring_one_name_are_both_named(install: Install) -> None:
    install("first", SINK.format(name="ftp"))
    install("second", SINK.format(name="ftp"))
    with pytest.raises(UsageError, match=r"plugins first and second both provide sinks 'ftp'"):
        load()


def test_a_plugin_cannot_take_the_place_of_a_built_in(install: Install) -> None:
    install("thief", SINK.format(name="directory"))
    with pytest.raises(UsageError, match=r"plugins relightflow and thief both provide"):
        load()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("def relightflow_sinks():\n    return ['ftp']", "'ftp', not SinkRecord"),
        ("def relightflow_sinks():\n    return None", "NoneType"),
        ("def relightflow_sinks():\n    raise KeyError('x')", "KeyError"),
        ("def relightflow_sinks():\n    yield 1 / 0", "ZeroDivisionError"),
        ("async def relightflow_sinks():\n    return []", "plain `def`"),
    ],
)
def test_a_hook_that_fails_or_returns_no_record_is_named(
    install: Install, body: str, words: str
) -> None:
    install("odd", "from relightflow.plugins.hookspecs import hookimpl\n\n@hookimpl\n" + body)
    registry = load()
    (warning,) = registry.warnings
    assert warning.startswith("plugin odd: relightflow_sinks ")
    assert words in warning
    assert "directory" in registry.sinks


NOTIFIED = """
    from relightflow.plugins.hookspecs import hookimpl

    told = []

    @hookimpl
    {keyword} relightflow_run_finished(exit_code):
        told.append(exit_code)
        {then}
"""


def test_a_notification_reaches_every_plugin_with_what_it_asks_for(install: Install) -> None:
    install("one", NOTIFIED.format(keyword="def", then="pass"))
    registry = load()
    assert registry.notify("relightflow_run_finished", run_id="r", exit_code=7) == ()
    plugin: Any
    (plugin,) = (p for name, p in registry.manager.list_name_plugin() if name.startswith("one:"))
    assert plugin.told == [7]


@pytest.mark.parametrize(
    ("keyword", "then", "words"),
    [("def", "raise OSError('no post')", "OSError: no post"), ("async def", "pass", "plain `def`")],
)
def test_a_notification_that_raises_costs_only_itself(
    install: Install, keyword: str, then: str, words: str
) -> None:
    install("bad", NOTIFIED.format(keyword=keyword, then=then))
    install("good", NOTIFIED.format(keyword="def", then="pass"))
    registry = load()
    (warning,) = registry.notify("relightflow_run_finished", run_id="r", exit_code=0)
    assert warning.startswith("plugin bad: relightflow_run_finished raised ")
    assert words in warning
    good: Any
    (good,) = (p for name, p in registry.manager.list_name_plugin() if name.startswith("good:"))
    assert good.told == [0]


def test_an_unknown_name_is_told_with_what_is_known_and_what_is_near() -> None:
    registry = load(found=tuple)
    with pytest.raises(
        UsageError, match=r"unknown sink 'directry'; known: .*directory.*did you mean"
    ):
        registry.sink("directry")
    with pytest.raises(UsageError, match=r"unknown source 'zzz'; known: [^(]*$"):
        registry.source("zzz")
    with pytest.raises(UsageError, match="unknown backend"):
        registry.backend("")


def test_everything_that_comes_with_relightflow_can_be_made() -> None:
    """A record may name what makes it in a string, which no type checker follows."""
    registry = load(found=lambda: ())
    groups = (
        registry.sources,
        registry.backends,
        registry.sinks,
        registry.checks,
        registry.executors,
    )
    for group in groups:
        for loaded in group.values():
            assert callable(imported(loaded.record.create)), loaded.record.name
