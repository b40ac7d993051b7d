"""The scenes of the sample pictures."""
