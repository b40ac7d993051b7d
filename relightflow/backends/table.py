"""A provider's models as a table: another model is another row and no code. Imports no network library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from relightflow.model.catalog import Model
from relightflow.model.values import FrozenMap


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model, and how it is called."""

    model: Model
    image_field: str
    """The input that carries the image: a URL or a data URI."""


R = TypeVar("R", bound=ModelRow)


def row_of(table: Sequence[R], name: str) -> R | None:
    """The row of the model of that name; None: there is none."""
    return next((row for row in table if row.model.name == name), None)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a provider gets an image, in words."""

    provider: str
    upload: str
    """How it is uploaded, for the recipe's schema; follows 'as'."""
    uploaded: str
    """What becomes of an uploaded image; follows 'the images are'."""
    inlined: str
    """What becomes of one inside the request."""
    inline: str = "inside the request"
    """The same for the recipe's schema."""

    def schema(self, **more: Any) -> dict[str, Any]:
        """The backend's options in a recipe, beside `type` and `model`: `delivery` after those of `more`."""
        words = (
            f"How the provider gets an image, unless its source says otherwise: as {self.upload}, {self.inline}, "
            "through a signed URL of the object store that is valid for one hour, or by its public URL."
        )
        delivery = {
            "enum": ["upload", "inline", "presign", "url"],
            "default": "upload",
            "description": words,
        }
        properties = {**more, "delivery": delivery}
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def disclosed(self, options: FrozenMap, delivery: str) -> str:
        """What becomes of images, in words that follow 'the images are'."""
        return {
            "upload": self.uploaded,
            "inline": self.inlined,
            "presign": f"fetched by {self.provider} through signed URLs that are valid for one hour",
            "url": f"fetched by {self.provider}, from their public or signed URLs",
        }[delivery or options.get("delivery", "upload")]
