"""wadm manifests, read as wadm reads them, for what will go wrong with their secrets."""
