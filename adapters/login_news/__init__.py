"""Word of refused logins, between processes that share one identity at the store."""
