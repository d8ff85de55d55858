"""One outbox row to the smarthost: sent, later, or never."""
