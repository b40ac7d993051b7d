"""requirements/ pins what tests and demo run on: all of it, by hash, for every Python and platform."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PLACES = [
    {"sys_platform": platform, "python_version": version, "python_full_version": f"{version}.0"}
    for platform in ("linux", "darwin")
    for version in ("3.11", "3.12", "3.13", "3.14")
]


def entries(lock: Path) -> list[str]:
    """Each package with its hashes, as one line."""
    text = lock.read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pinned(lock: str, place: dict[str, str]) -> dict[str, str]:
    """What pip installs there: version by name."""
    lines = (line.split(" --hash")[0] for line in entries(ROOT / "requirements" / f"{lock}.txt"))
    found = [wanted for wanted in map(Requirement, lines) if holds(wanted, place)]
    versions = {str(canonicalize_name(one.name)): str(one.specifier)[2:] for one in found}
    assert len(versions) == len(found), "a package is pinned twice"
    return versions


def holds(wanted: Requirement, place: dict[str, str]) -> bool:
    environment: Any = place
    return wanted.marker is None or wanted.marker.evaluate(environment)


def group(name: str) -> list[Requirement]:
    found: list[Requirement] = []
    for one in PROJECT["dependency-groups"][name]:
        found += group(one["include-group"]) if isinstance(one, dict) else [Requirement(one)]
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_package_is_pinned_by_hash_and_no_host_is_named(lock: Path) -> None:
    for entry in entries(lock):
        assert re.match(r"[a-z0-9-]+==[^ ]+ ( ?; .+?)? *--hash=sha256:", entry), entry
        assert re.search(r"://|file:|-i |index", re.sub(r"^\S+", "", entry)) is None


@pytest.mark.parametrize(
    "place", PLACES, ids=lambda p: f"{p['sys_platform']}-{p['python_version']}"
)
def test_what_pyproject_asks_for_is_pinned_within_its_range(place: dict[str, str]) -> None:
    needed = [Requirement(one) for one in PROJECT["project"]["dependencies"]]
    for lock, wanted in {
        "run": [*needed, *group("build")],
        "dev": [*needed, *group("dev")],
        "swift": group("swift"),
        "azurite": group("azurite"),
    }.items():
        versions = pinned(lock, place)
        wrong = [
            str(one)
            for one in wanted
            if holds(one, place)
            and not one.specifier.contains(versions.get(canonicalize_name(one.name), "0"), True)
        ]
        assert not wrong, f"requirements/{lock}.txt has no fitting {wrong}; make update renews it"


@pytest.mark.parametrize(
    "place", PLACES, ids=lambda p: f"{p['sys_platform']}-{p['python_version']}"
)
def test_the_demo_runs_on_what_the_tests_run_on(place: dict[str, str]) -> None:
    assert pinned("run", place).items() <= pinned("dev", place).items()
