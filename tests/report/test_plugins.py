from types import MappingProxyType

from relightflow.model.catalog import FREE, MegapixelPrice, Model, Price
from relightflow.plugins.records import BackendRecord
from relightflow.plugins.registry import Loaded, Registry
from relightflow.report.plugins import document, plugins


def registry() -> Registry:
    record = BackendRecord("glow", "Shines\x1b", (Model("m", (), FREE),), create=lambda _: None)  # type: ignore[arg-type,return-value]  # never called
    backends = MappingProxyType({"glow": Loaded(record, "glow-pack")})
    return Registry({}, backends, {}, ("glow-pack",), ("plugin bad was left out: no",))


def test_plugins_are_listed_with_who_brought_them_and_their_models() -> None:
    assert plugins(registry()).splitlines()[1:] == [
        "backend  glow  glow-pack  Shines\\x1b",
        "  model  m                free",
    ]


def test_the_document_says_what_was_left_out() -> None:
    found = document(registry())
    assert found["left_out"] == ["plugin bad was left out: no"]
    assert found["backends"] == [
        {"name": "glow", "summary": "Shines\x1b", "plugin": "glow-pack", "models": ["m"]}
    ]


def test_a_price_by_size_is_told_as_one() -> None:
    unit = Price(100_000, 100_000)
    model = Model("m", (), unit, by_size=MegapixelPrice(unit))
    record = BackendRecord("glow", "Shines", (model,), create=lambda _: None)  # type: ignore[arg-type,return-value]  # never called
    found = Registry({}, MappingProxyType({"glow": Loaded(record, "p")}), {}, (), ())
    assert "0.10 USD per megapixel" in plugins(found)
