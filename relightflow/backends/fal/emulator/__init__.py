"""fal's protocol on the emulator: queue, result files, storage and request history.

`relightflow emulator --protocol fal` serves it; the account, the clock and the faults are the emulator's.
"""
