"""The pure core: what a secret request is and how one is answered, without any I/O."""
