"""The loops: read and decide, send, tick; and the supervisor that keeps them running."""
