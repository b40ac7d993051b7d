from __future__ import annotations

import inspect
import types

import pluggy
import pytest

from relightflow.plugins import hookspecs
from relightflow.plugins.hookspecs import GROUP, hookimpl

HOOKS = {
    name: value
    for name, value in vars(hookspecs).items()
    if isinstance(value, types.FunctionType) and name.startswith("relightflow_")
}


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    return manager


def test_every_function_of_the_manual_is_a_hook_and_has_an_example_or_says_when() -> None:
    manager = _manager()
    assert HOOKS, "there are hooks"
    for name, function in HOOKS.items():
        assert hasattr(manager.hook, name)
        manual = inspect.getdoc(function) or ""
        assert any(word in manual for word in ("Example: ", "Called ")), name


def test_a_hook_may_take_fewer_arguments_than_there_are_and_none_of_its_own() -> None:
    class Listener:
        heard: int | None = None

        @hookimpl
        def relightflow_run_finished(self, exit_code: int) -> None:
            self.heard = exit_code

    class Misspelt:
        @hookimpl
        def relightflow_run_finished(self, exitcode: int) -> None: ...

    manager, listener = _manager(), Listener()
    manager.register(listener)
    manager.hook.relightflow_run_finished(run_id="r", exit_code=75)
    assert listener.heard == 75
    with pytest.raises(pluggy.PluginValidationError, match="exitcode"):
        manager.register(Misspelt())
