"""Templates and catalogues -> the mails we send; built once in wiring and passed in as an argument."""

from mailflow.render.catalogue import Catalogue, load_catalogues
from mailflow.render.renderer import Renderer

__all__ = ["Catalogue", "Renderer", "load_catalogues"]
