"""The preview: relights on this machine, free, the same bytes every time. A draft, and says so.

How it works is told in `relief` (a guess at the image's shape), `lamps` (light on that shape) and
`develop` (the light on the full-size image); `style` has every number that a word stands for.
"""
