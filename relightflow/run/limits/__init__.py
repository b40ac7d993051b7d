"""What decides whether one more call may be made: rate, retries, money, disk."""
