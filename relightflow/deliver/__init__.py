"""Finished images → sinks, and the manifest that says what was made from what."""
