"""Text → Recipe: strict YAML with positions, the schema of every part, and all problems at once.

`load` reads a file, `load_text` reads text; both give a `Recipe` or raise `InvalidRecipe` with
everything that is wrong. `compose_schema` is the whole recipe schema for editors, `starter` the
recipe that `relightflow init` writes, `published` the schema files that the package ships.
"""

from relightflow.recipe.loading import load, load_text
from relightflow.recipe.published import PUBLISHED, published
from relightflow.recipe.schema import compose_schema
from relightflow.recipe.starter import starter

__all__ = ["PUBLISHED", "compose_schema", "load", "load_text", "published", "starter"]
