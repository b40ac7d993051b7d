"""Money is counted in whole micro-dollars (USD × 10⁻⁶), so that sums are exact."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Context, Decimal, InvalidOperation
from typing import TypeAlias

Micros: TypeAlias = int
"""An amount in micro-dollars: 50_000 is 0.05 USD."""

_PER_DOLLAR = 1_000_000
_UP = Context(rounding=ROUND_CEILING)
_MOST = Decimal("1e300")
"""Dollars: as an integer, `1e999999999` would fill the memory."""


def micros(usd: str | float) -> Micros:
    """`usd` dollars in micro-dollars, rounded up, so that a price is never understated.

    Raises ValueError for NaN, infinities, negative amounts and text that is not a number.
    """
    try:
        amount = Decimal(str(usd).strip())
    except InvalidOperation:
        raise ValueError(f"{usd!r} is not an amount in USD") from None
    if not amount.is_finite() or not 0 <= amount < _MOST:
        raise ValueError(f"{usd!r} is not an amount in USD")
    return int(_UP.multiply(amount, Decimal(_PER_DOLLAR)).to_integral_value(ROUND_CEILING))


def valid_cost(cost: float | None) -> Micros | None:
    """What a provider says it charged, in micro-dollars; None where that is no amount.

    More than a database can count is no amount either.
    """
    if cost is None or not 0 <= cost < 1 << 62:  # NaN is not in between either
        return None
    return math.ceil(cost)


def usd(amount: Micros) -> float:
    """`amount` as a JSON number of dollars."""
    return amount / _PER_DOLLAR


def dollars(amount: Micros) -> str:
    """`amount` for people: at least cents, and no digit that says nothing: `0.05`, `12.80`, `0.0037`."""
    whole, rest = divmod(abs(amount), _PER_DOLLAR)
    digits = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount < 0 else ''}{whole:,}.{digits}"
