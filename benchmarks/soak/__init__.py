"""A service under load while what it depends on fails, one fault after the other."""
