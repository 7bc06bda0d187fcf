"""The secret store port, decorated: a store that is down is not asked by everybody."""
