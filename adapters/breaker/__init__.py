"""A circuit breaker around a store, so that a store that is down is asked by single calls only."""
