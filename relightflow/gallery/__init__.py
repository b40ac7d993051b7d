"""The gallery: a static page of a whole sweep, from which images are picked.

records → cells (axes, columns) → data.js, with the page's own files and a thumbnail of every image.
The page is plain HTML, CSS and JavaScript in `page/`; it works from `file://` and from any static
host, without a network. docs/reference/gallery.md describes its files.
"""
