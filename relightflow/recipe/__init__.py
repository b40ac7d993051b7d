"""Text → Recipe: strict YAML with positions, the schema of every part, and all problems at once.

`load` reads a file, `load_text` reads text; both give a `Recipe` or raise `InvalidRecipe` with
everything that is wrong. `compose_schema` is the whole recipe schema for editors, `schema_text` the
same as a file, `read_picks` reads a picks file, `published` any of the schema files that the package ships, and `starter` the recipe
that `relightflow init` writes.
"""

from relightflow.recipe.loading import load, load_text
from relightflow.recipe.picks import parse_picks, read_picks
from relightflow.recipe.published import PUBLISHED, published
from relightflow.recipe.schema import compose_schema, schema_text
from relightflow.recipe.starter import starter

__all__ = [
    "PUBLISHED",
    "compose_schema",
    "load",
    "load_text",
    "parse_picks",
    "published",
    "read_picks",
    "schema_text",
    "starter",
]
