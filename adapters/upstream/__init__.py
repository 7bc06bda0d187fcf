"""What every store behind a network shares: HTTP, admission, rate limits, lockout, deadlines."""
