"""What a hook returns: a name, one line of summary, a schema, and how to make the thing.

Records are cheap and hold no work: `create` is called only by the command that needs it, so it is
the place to import heavy libraries.
"""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from relightflow.core.project import Project
from relightflow.errors import RefusedError
from relightflow.model.catalog import Model
from relightflow.model.check import Severity
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import UNSETTLED, Backend, Memory, Settlement
from relightflow.plugins.check import Check
from relightflow.plugins.executor import Ask, Executor
from relightflow.plugins.sink import Sink
from relightflow.plugins.source import Source

Schema = Mapping[str, Any]
"""JSON Schema, draft-07, of the plugin's own part: an object schema over its options, without
`type` (and, for a backend, without `model`), which relightflow adds."""

Layout: TypeAlias = Literal["files", "archive", "aggregate"]
"""How a sink lays its files out."""

_NO_OPTIONS: Schema = {"type": "object", "additionalProperties": False, "properties": {}}
"""Of a record that names no schema."""


@dataclass(frozen=True, slots=True)
class OperatorPolicy:
    """What only the trusted operator may say (command line, environment), never a recipe."""

    allow_private_network: bool = False
    """True: sources may fetch from private, loopback and link-local addresses."""
    output_hosts: tuple[str, ...] = ()
    """Hosts beside the provider's own from which results may be downloaded."""
    offline: bool = False
    """True: no network requests; cached images only."""
    store: str = ""
    """URL of the store that machines share; empty: none."""
    store_writes: bool = True
    """False: the shared store is asked and never told."""


def _project(folder: Path, project: Project | None) -> Project:
    real = Path(os.path.realpath(folder))
    return project or Project(real, real, "")


def _place(folder: Path, project: Project | None, text: str) -> Path:
    """Where `text`, a path of a recipe in `folder`, leads. Raises RefusedError."""
    try:
        return _project(folder, project).place(text)
    except ValueError as problem:
        raise RefusedError(f"{text} {problem}") from None


@dataclass(frozen=True, slots=True)
class SourceContext:
    folder: Path
    """Relative paths in the recipe count from here."""
    options: FrozenMap
    """The source's part of the recipe, checked against its schema."""
    index: int
    """Position in the recipe's list; goes into every `Image.source`."""
    operator: OperatorPolicy = field(default_factory=OperatorPolicy)
    """What only the operator may allow."""
    cache: Path | None = None
    """A folder for what may be forgotten (downloads, listings); None: keep nothing."""
    avoid: tuple[Path, ...] = ()
    """Folders that the recipe's own sinks write to: results must never become inputs."""
    avoid_uris: tuple[str, ...] = ()
    """The same for places in object stores."""
    project: Project | None = None
    """All that the recipe may read; None: its own folder."""
    notice: Callable[[str], None] = field(default=lambda _: None)
    """Tells the user something about the images, in words: what is used although it could not be checked."""
    shared: dict[str, object] = field(default_factory=dict)
    """What sources of one kind want to share, for as long as the recipe's sources are open."""
    ask: Ask | None = None
    """Has workers read and hash images while the recipe is planned; None: it is done in this process. What no
    worker does is done here too."""

    def place(self, text: str) -> Path:
        """Where `text`, a path of the recipe, leads in the recipe's project. A link on the way may still
        lead out of it: see `check_inside`. Raises RefusedError."""
        return _place(self.folder, self.project, text)

    def check_inside(self, real: Path, text: str) -> None:
        """Raises RefusedError where `real`, the file at the path `text` with all links followed, is outside
        the recipe's project."""
        root = _project(self.folder, self.project).root
        if not real.is_relative_to(root):
            raise RefusedError(
                f"{text}: a symbolic link that leads out of {root}, and a recipe can read only what "
                "is inside it; copy the file there"
            )


@dataclass(frozen=True, slots=True)
class SourceRecord:
    name: str
    """What a recipe writes as `type`."""
    summary: str
    """One line for `relightflow plugins`."""
    create: Callable[[SourceContext], Source] | str
    """Makes the source; or where that is, `package.module:name` (as in entry points), imported when it is needed."""
    schema: Schema = field(default_factory=lambda: _NO_OPTIONS)
    """JSON Schema (draft-07) of the source's own options, with `additionalProperties: False`; `type` is
    relightflow's. Left out: there are no options."""
    fetches: bool = False
    """True: reading its images costs more than a look at the disk, so a run gives it a cache before
    it is asked for the first time."""

    def make(self, context: SourceContext) -> Source:
        """The source. Raises what its `create` raises."""
        return cast(Source, imported(self.create)(context))


@dataclass(frozen=True, slots=True)
class BackendContext:
    model: Model
    """The model that the recipe chose."""
    options: FrozenMap
    """The backend's part of the recipe, checked against its schema."""
    memory: Memory
    """Remembers what may be used again in later runs (say, the URL of an uploaded image)."""
    notice: Callable[[str], None]
    """Tells the user something once, in words."""
    operator: OperatorPolicy = field(default_factory=OperatorPolicy)
    """What only the operator may allow."""
    pool: Executor | None = None
    """Threads of this process for heavy work, one for each core; None: there are none, use your own."""


@dataclass(frozen=True, slots=True)
class BackendRecord:
    name: str
    """What a recipe writes as `backend.type`."""
    summary: str
    """One line for `relightflow plugins`."""
    models: tuple[Model, ...]
    """The first is the default."""
    create: Callable[[BackendContext], Backend] | str
    """Makes the backend; or where that is, `package.module:name` (as in entry points), imported when it is needed."""
    schema: Schema = field(default_factory=lambda: _NO_OPTIONS)
    """JSON Schema (draft-07) of the backend's own options, with `additionalProperties: False`; `type`
    and `model` are relightflow's. Left out: there are no options."""
    keeps_requests: float = math.inf
    """Seconds for which the provider remembers an accepted request; inf: for ever."""
    discloses: Callable[[FrozenMap, str], str] | None = None
    """(the recipe's options, an image's own `delivery`) → what becomes of the input images outside this
    machine, in words that follow 'the images are'. A person reads it before a purchase; anything that
    others can see, or that cannot be undone, belongs there. None: nothing is said."""
    srgb: bool = False
    """True: results are in sRGB whatever colour profile the input has, so that they never get the
    input's."""
    keeps_results: float = 0.0
    """Seconds for which a result can be downloaded once it is known. While it should live, a download
    that is missing or damaged is no end: it is tried again, across runs. 0: the second is final."""
    declarable: bool = False
    """True: the operator may declare more models of it by a file (`relightflow.plugins.declared`)."""
    declares: Callable[[Model], Model] | None = None
    """Makes a declared model one of this backend's. Raises ValueError with what is wrong with it, in words.
    None: it is one as it is."""
    settlement: Settlement = UNSETTLED
    """How it is found out what became of a call whose answer got lost."""
    key_variable: str = ""
    """Environment variable with the account's key; empty: it needs none."""
    hosts: tuple[str, ...] = ()
    """Hosts that it sends to and that results come from; a leading dot stands for every name below."""
    limits: str = ""
    """What the provider limits, in a few words, such as `50 calls a minute`; empty: nothing known."""

    def make(self, context: BackendContext) -> Backend:
        """The backend. Raises what its `create` raises, and TypeError where it lacks a method that
        `settlement` needs, or has one that would never be called."""
        backend = imported(self.create)(context)
        if problem := self.settlement.problem(backend):
            raise TypeError(f"the backend '{self.name}' {problem}")
        return cast(Backend, backend)

    def model(self, name: str) -> Model | None:
        """The model with that name; None: there is none."""
        return next((m for m in self.models if m.name == name), None)


@dataclass(frozen=True, slots=True)
class SinkContext:
    folder: Path
    """The recipe's folder; relative paths count from here."""
    options: FrozenMap
    """The sink's part of the recipe, checked against its schema."""
    recipe: str
    """The recipe's name."""
    operator: OperatorPolicy = field(default_factory=OperatorPolicy)
    """What only the operator may allow."""
    project: Project | None = None
    """All that the recipe may write to; None: its own folder."""

    def place(self, text: str) -> Path:
        """Where `text`, a path of the recipe, leads in the recipe's project. A link on the way may still
        lead out of it: whoever writes refuses links. Raises RefusedError."""
        return _place(self.folder, self.project, text)


@dataclass(frozen=True, slots=True)
class SinkRecord:
    name: str
    """What a recipe writes as `type`."""
    summary: str
    """One line for `relightflow plugins`."""
    create: Callable[[SinkContext], Sink] | str
    """Makes the sink; or where that is, `package.module:name` (as in entry points), imported when it is needed."""
    schema: Schema = field(default_factory=lambda: _NO_OPTIONS)
    """JSON Schema (draft-07) of the sink's own options, with `additionalProperties: False`; `type` is
    relightflow's. Left out: there are no options. Where the sink takes `name`, it lists it here."""
    layout: Layout = "files"
    """`files`: one file an output, at a path made from the option `name`; `write` is called.
    `archive`: all images in one file, each at a path made from the option `name`, which
    `FinishedRun.path` gives. `aggregate`: an index, a sheet, shards. The last two are only called to
    finalize."""
    converts_format: bool = False
    """True: it has the option `format` (`relightflow.plugins.output_format`), and `write` is given
    copies in that form. An archive or aggregate makes them itself (`relightflow.images.derive`)."""
    shows: str = ""
    """The file to look at after a run, relative to the sink's location on this machine, or a pattern
    of which the first match is meant; empty: none in particular."""

    shares_folder: bool = True
    """False: whoever reads its folder takes every file below for a part of it, so that nothing else is
    put there."""
    writes: tuple[str, ...] = ()
    """Files of fixed names, relative to its location, beside those named by the option `name`. `{recipe}`
    stands for the recipe's name, `{image.stem}` for each image. Two recipes that would write the same
    file are refused before anything is made."""

    remote: bool = False
    """True: `check`, `receipt` and `write` need nothing but the context, so that another machine can make the
    same sink and write single images to it, perhaps one twice. `finalize` stays here."""

    @property
    def takes_names(self) -> bool:
        """Whether it has the option `name`, whose paths must not collide."""
        return self.layout != "aggregate"

    def make(self, context: SinkContext) -> Sink:
        """The sink. Raises what its `create` raises."""
        return cast(Sink, imported(self.create)(context))


@dataclass(frozen=True, slots=True)
class CheckContext:
    folder: Path
    """The recipe's folder; relative paths count from here."""
    options: FrozenMap
    """The check's part of the recipe, checked against its schema."""


@dataclass(frozen=True, slots=True)
class CheckRecord:
    name: str
    """What a recipe writes as `type`."""
    summary: str
    """One line for `relightflow plugins`: what holds where the check passes."""
    create: Callable[[CheckContext], Check] | str
    """Makes the check; or where that is, `package.module:name` (as in entry points), imported when it is needed."""
    schema: Schema = field(default_factory=lambda: _NO_OPTIONS)
    """JSON Schema (draft-07) of the check's own options, with `additionalProperties: False`; `type` and
    `severity` are relightflow's. Left out: there are no options."""
    severity: Severity = "warn"
    """What a failure means where the recipe does not say."""
    default: bool = False
    """True: it belongs to `checks: default`. It must then need no options."""
    version: str = "1"
    """Another one where the same results get other verdicts: verdicts of the old one are forgotten."""

    def make(self, context: CheckContext) -> Check:
        """The check. Raises what its `create` raises."""
        return cast(Check, imported(self.create)(context))


@dataclass(frozen=True, slots=True)
class ExecutorContext:
    address: str = ""
    """Of the scheduler, as the operator gave it (`--scheduler`); empty: none was given."""


@dataclass(frozen=True, slots=True)
class ExecutorRecord:
    name: str
    """What `--executor` takes."""
    summary: str
    """One line for `relightflow plugins`."""
    create: Callable[[ExecutorContext], Executor] | str
    """Makes the executor, connected; or where that is, `package.module:name` (as in entry points), imported when
    it is needed. Raises `UsageError` where the address is none, `EarlyStop` where nobody answers there."""
    needs_address: bool = False
    """True: it is nothing without `--scheduler`. False: an address is refused."""

    def make(self, context: ExecutorContext) -> Executor:
        """The executor. Raises what its `create` raises."""
        return cast(Executor, imported(self.create)(context))


def imported(create: Callable[..., Any] | str) -> Callable[..., Any]:
    """What `module:name` stands for. Raises ImportError or AttributeError where it is not there."""
    if not isinstance(create, str):
        return create
    module, _, name = create.partition(":")
    return cast(Callable[..., Any], attrgetter(name)(importlib.import_module(module)))
