"""HashiCorp Vault and OpenBao as a secret store: key-value secrets of either version, over HTTP."""
