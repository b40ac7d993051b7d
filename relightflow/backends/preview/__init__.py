"""The preview: relights on this machine, free, the same bytes every time. A draft, and says so.

How it works is told in `relief` (a guess at the picture's shape), `lamps` (light on that shape) and
`develop` (the light on the full-size picture); `style` has every number that a word stands for.
"""
