"""nkeys text form, xkeys and tokens, over libsodium."""
