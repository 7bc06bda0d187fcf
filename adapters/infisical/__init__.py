"""The secret store that reads Infisical over HTTP."""
