"""The preview: relights on this machine, free, the same bytes every time. A draft, and says so.

How it works is told in `scene` (what is known of an image), `shading` (light on that scene) and
`rendering` (the light on the full-size image); `parameters` has every number that a word stands for.
"""
