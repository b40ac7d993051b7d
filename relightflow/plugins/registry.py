"""Finds plugins, one entry point at a time, and names the culprit where one is broken."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import pluggy

from relightflow.errors import RefusedError, UsageError
from relightflow.plugins import hookspecs
from relightflow.plugins.declared import (
    WORKFLOW,
    DeclaredModel,
    declared_models,
    declares,
    folder,
    wire,
)
from relightflow.plugins.hookspecs import GROUP
from relightflow.plugins.records import (
    BackendRecord,
    CheckRecord,
    ExecutorRecord,
    SinkRecord,
    SourceRecord,
)

_BUILT_IN = (
    "relightflow.sources.builtin",
    "relightflow.backends.builtin",
    "relightflow.sinks.builtin",
    "relightflow.checks.builtin",
    "relightflow.executors.builtin",
)
"""Modules with our own hook implementations: registered like anybody's."""

_R = TypeVar("_R", SourceRecord, BackendRecord, SinkRecord, CheckRecord, ExecutorRecord)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[_R]):
    """A record and who brought it."""

    record: _R
    plugin: str
    """`relightflow` for the built-ins, else the distribution's name."""


@dataclass(frozen=True, slots=True)
class Registry:
    sources: Mapping[str, Loaded[SourceRecord]]
    """By name."""
    backends: Mapping[str, Loaded[BackendRecord]]
    """By name."""
    sinks: Mapping[str, Loaded[SinkRecord]]
    """By name."""
    plugins: tuple[str, ...]
    """Names of all plugins that loaded."""
    warnings: tuple[str, ...] = ()
    """Plugins that were left out, and why; a command shows them once."""
    manager: pluggy.PluginManager = field(
        default_factory=lambda: pluggy.PluginManager(GROUP), repr=False, compare=False
    )
    """pluggy's own manager, for notifications."""
    checks: Mapping[str, Loaded[CheckRecord]] = field(default_factory=dict)
    """By name."""
    executors: Mapping[str, Loaded[ExecutorRecord]] = field(default_factory=dict)
    """By name."""
    declared: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    """(backend, model) of what the operator declared, and the file that says it."""
    state: Path | None = None
    """The state folder that the operator named with --state."""

    def source(self, name: str) -> SourceRecord:
        """Raises UsageError for an unknown name."""
        return _find(self.sources, name, "source")

    def backend(self, name: str) -> BackendRecord:
        """Raises UsageError for an unknown name."""
        return _find(self.backends, name, "backend")

    def sink(self, name: str) -> SinkRecord:
        """Raises UsageError for an unknown name."""
        return _find(self.sinks, name, "sink")

    def check(self, name: str) -> CheckRecord:
        """Raises UsageError for an unknown name."""
        return _find(self.checks, name, "check")

    def executor(self, name: str) -> ExecutorRecord:
        """Raises UsageError for an unknown name."""
        return _find(self.executors, name, "executor")

    def notify(self, hook: str, **facts: Any) -> tuple[str, ...]:
        """Tell every plugin; what one raises becomes a warning that names it."""
        warnings = []
        for implementation in getattr(self.manager.hook, hook).get_hookimpls():
            try:
                wanted = {name: facts[name] for name in implementation.argnames}
                _call(implementation.function, wanted)
            except Exception as error:
                owner = _plugin_name(implementation.plugin_name)
                warnings.append(f"plugin {owner}: {hook} raised {_why(error)}")
        return tuple(warnings)


def load(
    modules: Iterable[str] = _BUILT_IN,
    found: Callable[[], Iterable[EntryPoint]] | None = None,
    declared: Path | None = None,
) -> Registry:
    """Every plugin that can be loaded, and the models that the operator declared. Raises UsageError where
    two bring the same name.

    `found`: entry points; None: those of the environment. `declared`: the folder of declared models;
    None: the user's, or none where `found` is given.
    """
    if declared is None and found is None:
        declared = folder()
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    for module in modules:
        manager.register(importlib.import_module(module), name="relightflow:" + module)
    warnings: list[str] = []
    points = found() if found else entry_points(group=GROUP)
    for point in sorted(points, key=lambda p: p.name):
        problem = _register(manager, point)
        if problem:
            warnings.append(problem)
    backends = _records(manager, "relightflow_backends", BackendRecord, warnings)
    backends, files = _with_declared(backends, declared, warnings)
    return Registry(
        sources=_records(manager, "relightflow_sources", SourceRecord, warnings),
        backends=backends,
        sinks=_records(manager, "relightflow_sinks", SinkRecord, warnings),
        checks=_records(manager, "relightflow_checks", CheckRecord, warnings),
        executors=_records(manager, "relightflow_executors", ExecutorRecord, warnings),
        plugins=tuple(_plugin_name(name) for name, _ in manager.list_name_plugin()),
        warnings=tuple(warnings),
        manager=manager,
        declared=files,
    )


def with_project(registry: Registry, folder: Path) -> Registry:
    """`registry` with the models that are declared for a project, in `folder`, beside those of the user.

    Raises UsageError for a file that declares nothing usable, and for a model that the user has declared
    otherwise: nobody could say which price holds. RefusedError for a workflow.
    """
    warnings: list[str] = []
    for path, model in declared_models(folder):
        if isinstance(model, DeclaredModel) and "workflow" in wire(model.model):
            raise RefusedError(f"{path}: {WORKFLOW}. Nothing was sent")
    backends, files = _with_declared(registry.backends, folder, warnings, registry.declared)
    if warnings:
        raise UsageError(warnings[0])
    return replace(registry, backends=backends, declared={**registry.declared, **files})


def _register(manager: pluggy.PluginManager, point: EntryPoint) -> str | None:
    """Load one entry point; a reason in words where it had to be left out."""
    owner = point.dist.name if point.dist else point.value
    name = f"{owner}:{point.name}"
    try:
        plugin = point.load()
        manager.register(plugin, name=name)
        manager.check_pending()
    except (Exception, SystemExit) as error:  # a plugin may even leave while it is imported
        # what is half registered would answer hooks, or fail the check of the next plugin
        if manager.has_plugin(name):
            manager.unregister(name=name)
        return f"plugin {owner} ({point.name}) was not loaded: {_why(error)}"
    return None


def _why(error: BaseException) -> str:
    """`error` in one line. pluggy's own words name the hook; of others the type says much."""
    words = " ".join(str(error).split())
    if isinstance(error, pluggy.PluginValidationError):
        return words
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _records(
    manager: pluggy.PluginManager, hook: str, kind: type[_R], warnings: list[str]
) -> Mapping[str, Loaded[_R]]:
    found: dict[str, Loaded[_R]] = {}
    # pluggy lists the last registered first; ours come first so that a conflict reads naturally
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        owner = _plugin_name(implementation.plugin_name)
        try:
            records = tuple(_call(implementation.function, {}))
        except Exception as error:
            warnings.append(f"plugin {owner}: {hook} raised {_why(error)}")
            continue
        for record in records:
            if not isinstance(record, kind):
                warnings.append(f"plugin {owner}: {hook} returned {record!r}, not {kind.__name__}")
            elif record.name in found:
                raise UsageError(
                    f"plugins {found[record.name].plugin} and {owner} both provide "
                    f"{hook.removeprefix('relightflow_')} '{record.name}': uninstall one of them"
                )
            else:
                found[record.name] = Loaded(record, owner)
    return MappingProxyType(found)


def _with_declared(
    backends: Mapping[str, Loaded[BackendRecord]],
    where: Path | None,
    warnings: list[str],
    known: Mapping[tuple[str, str], Path] = MappingProxyType({}),
) -> tuple[Mapping[str, Loaded[BackendRecord]], Mapping[tuple[str, str], Path]]:
    """The backends with the models that the operator declared for them in `where`, and the files. `known`:
    those that are declared elsewhere already. Raises UsageError where the two differ."""
    found, files = dict(backends), {}
    for path, model in declared_models(where) if where else ():
        if isinstance(model, str):
            warnings.append(f"the declared model {path} was left out: it {model}")
            continue
        backend, key = found.get(model.backend), (model.backend, model.model.name)
        if backend is None or not backend.record.declarable:
            warnings.append(f"the declared model {path} was left out: no backend takes it")
        elif key in known:
            if not declares(known[key], model):
                raise UsageError(
                    f"{model.backend} has two declared models '{model.model.name}' that differ: "
                    f"{known[key]} and {path}. Remove one: 'relightflow models remove', with "
                    "--project for the project's"
                )
            files[key] = path
        elif backend.record.model(model.model.name) is not None:
            warnings.append(
                f"the declared model {path} was left out: {model.backend} has a model "
                f"'{model.model.name}' itself"
            )
        else:
            try:
                more = (
                    backend.record.declares(model.model) if backend.record.declares else model.model
                )
            except ValueError as error:
                warnings.append(f"the declared model {path} was left out: {error}")
                continue
            record = replace(backend.record, models=(*backend.record.models, more))
            found[model.backend], files[key] = replace(backend, record=record), path
    return MappingProxyType(found), files


def _call(hook: Callable[..., Any], facts: Mapping[str, Any]) -> Any:
    """pluggy knows no async hooks, and nobody would await what they return."""
    answer = hook(**facts)
    if inspect.iscoroutine(answer):
        answer.close()
        raise TypeError("a hook must be a plain `def`, not `async def`")
    return answer


def _plugin_name(registered: str) -> str:
    return registered.split(":", 1)[0]


def _find(known: Mapping[str, Loaded[_R]], name: str, word: str) -> _R:
    if name in known:
        return known[name].record
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    raise UsageError(f"unknown {word} '{name}'; known: {', '.join(sorted(known))}{hint}")
