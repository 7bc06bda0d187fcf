"""Values and pure rules of the secrets protocol."""
