"""What a provider's request history proves about calls whose outcome is unknown.

Each provider reads its own records; which row is which call, and when a call was never taken, is decided
here for all of them.
"""
