"""Using a model on pictures of any size, depth and mode."""

from jaxsr.inference.upscale import upscale, upscale_picture

__all__ = ["upscale", "upscale_picture"]
