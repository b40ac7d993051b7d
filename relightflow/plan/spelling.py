"""When two values of a recipe are the same, and how a value is written.

YAML has several spellings for one value (`1`, `1.0`, `1e0`), and Python takes `True` for 1. Here
two values are the same exactly where their canonical JSON is the same, with one spelling a number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from relightflow.model.values import Scalar


def plain(value: Scalar) -> Scalar:
    """`value` with one spelling for a number: a whole one is an integer, also where it was 1.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


@lru_cache(maxsize=4096, typed=True)  # typed: for Python, True and 1.0 are keys like 1
def spell(value: Scalar) -> str:
    """The canonical JSON of a scalar: equal for the same values, and only for them.

    Raises ValueError for NaN and infinities.
    """
    return json.dumps(plain(value), ensure_ascii=True, allow_nan=False)


def spell_all(parameters: Mapping[str, Scalar]) -> str:
    """The canonical JSON of parameters: their order does not matter."""
    pairs = [f"{spell(name)}:{spell(parameters[name])}" for name in sorted(parameters)]
    return "{" + ",".join(pairs) + "}"


def text(value: Scalar) -> str:
    """`value` as people write it in a recipe, for names, captions and `--only`."""
    return value if isinstance(value, str) else spell(value)
