"""Fixed networks whose features losses and measures compare: VGG, AlexNet, SqueezeNet."""

from jaxsr.vision.networks import HEADS, TRUNKS
from jaxsr.vision.trunk import Params, Trunk
from jaxsr.vision.weights import load, save

__all__ = ["HEADS", "TRUNKS", "Params", "Trunk", "load", "save"]
