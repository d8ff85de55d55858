"""The bundled campaign, played from end to end on loopback: providers, listener, workers, sender, catch-all."""

from mailflow.demo.play import play

__all__ = ["play"]
