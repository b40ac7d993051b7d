"""The `contact-sheet` sink: one labelled image per image, to look at a sweep and choose.

    outputs ─arrange→ Sheet ─lay_out→ Layout ─paint→ pixels ─seal→ file

The first two arrows are pure; only `paint` decodes images, a few at a time.
"""
