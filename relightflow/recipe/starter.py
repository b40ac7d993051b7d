"""The recipe that `relightflow init` writes: small, commented, and free to run."""

from __future__ import annotations

_STARTER = """\
# yaml-language-server: $schema={schema}
# A recipe lists the images to relight, the parameters, and where to write the results.
#   relightflow validate recipe.yaml    check it
#   relightflow plan recipe.yaml        show what a run would make, and its price
#   relightflow run recipe.yaml         make it; running again makes nothing twice
version: 1
name: my-first-relight

# Paths are relative to this file. Extensions match in upper and lower case; what no pattern means is
# counted: "3 files passed over: HEIC 1, TIFF 1, XMP 1".
sources:
  - type: glob
    include: ["photos/**/*.jpg", "photos/**/*.jpeg", "photos/**/*.png", "photos/**/*.webp"]
    # exclude: ["**/draft-*"]

# preview relights locally and free: a draft to look at before you spend money.
# For the real thing use `type: segmind` and set limits.max_cost below.
backend:
  type: preview

# Every combination is made for every image; `all` means every value.
matrix:
  light_direction: [left, right]     # left, right, top, back
  light_temperature: all             # warm, cool, neutral, sunset
  light_type: softbox                # softbox, sunlight, spotlight, ambient
  # light_intensity: medium          # mood, bright, medium, strong
  # exclude: [{{light_direction: right, light_temperature: sunset}}]

limits:
  concurrency: 2                     # calls in flight
  # rate: 50/1m                      # calls in any window
  # max_cost: 5.00                   # USD, a hard cap

sinks:
  - type: directory
    path: out/
    name: "{{image.stem}}/{{light_direction}}-{{light_temperature}}.{{ext}}"
"""


def starter(schema: str = "recipe.schema.json") -> str:
    """The text of the starter recipe; editors find the schema at `schema`, relative to the recipe."""
    return _STARTER.format(schema=schema)
