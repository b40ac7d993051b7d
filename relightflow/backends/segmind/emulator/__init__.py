"""Segmind's protocol on the emulator: v1 and v2, uploads, credits and request history."""
