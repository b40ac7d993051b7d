"""Outcomes as words, JSON and progress. It renders what others decided, and decides nothing."""
