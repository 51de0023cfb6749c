"""The Perceptual Index of the PIRM 2018 challenge, https://arxiv.org/abs/1809.07517."""


def perceptual_index(niqe: float, ma: float) -> float:
    """(NIQE + 10 - Ma) / 2; lower is better.

    Both are means over the images of a set, of the rounded luma without 4 pixels on every side
    (`jaxsr.metrics.niqe(sr, model, shave=4)`). Ma's score (Ma et al. 2017,
    https://arxiv.org/abs/1612.05890) rests on its authors' random forests, which jaxsr does not
    have: it must come from elsewhere, and without it there is no Perceptual Index.
    """
    return (niqe + 10.0 - ma) / 2.0
