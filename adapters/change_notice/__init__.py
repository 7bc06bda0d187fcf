"""Word that a secret has changed: from Infisical or an operator to every replica's cache."""
