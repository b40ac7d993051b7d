"""`relightflow report`: recipes and manifests → a gallery in a folder or a zip file."""

from relightflow.report.gallery.collect import run_of_manifest, run_of_recipe
from relightflow.report.gallery.publish import ImageRequest, Made, write

__all__ = ["ImageRequest", "Made", "run_of_manifest", "run_of_recipe", "write"]
