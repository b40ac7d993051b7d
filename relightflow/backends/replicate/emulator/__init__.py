"""Replicate's protocol on the emulator: predictions, files and the list of predictions.

`relightflow emulator --protocol replicate` serves it; the account, the clock and the faults are the emulator's.
"""
