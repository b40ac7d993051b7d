"""The scenes of the sample images."""
