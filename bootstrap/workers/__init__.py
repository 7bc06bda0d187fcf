"""Several processes for several cores: one supervisor, and workers that each are a replica."""
