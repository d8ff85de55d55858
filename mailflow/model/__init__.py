"""Frozen values that travel between the stages; nothing here reads, writes or decides."""
