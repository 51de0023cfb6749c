"""The fixed networks by name, and what sits on them."""

from collections.abc import Mapping

from jaxsr.vision.alexnet import ALEXNET
from jaxsr.vision.squeezenet import SQUEEZENET
from jaxsr.vision.trunk import Trunk
from jaxsr.vision.vgg import VGG16, VGG19

# "_caffe": the same architecture with the weights of its authors, which Keras has; another
# network than torchvision's: of other features at another scale.
TRUNKS: Mapping[str, Trunk] = {
    "vgg16": VGG16,
    "vgg19": VGG19,
    "vgg16_caffe": VGG16,
    "vgg19_caffe": VGG19,
    "vgg_random": VGG16,
    "alexnet": ALEXNET,
    "squeezenet1_1": SQUEEZENET,
}

# The shapes of what is learned on top: LPIPS's weights of the channels of each tap, DISTS's of
# those of the image and of VGG16's five.
HEADS: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    **{
        f"lpips_{net}": {f"lin{i}": (width,) for i, width in enumerate(widths)}
        for net, widths in {
            "alex": (64, 192, 384, 256, 256),
            "vgg": (64, 128, 256, 512, 512),
            "squeeze": (64, 128, 256, 384, 384, 512, 512),
        }.items()
    },
    "dists": {"alpha": (1475,), "beta": (1475,)},
}
