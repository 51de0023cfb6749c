import jax
import numpy as np
import pytest

from jaxsr.image.canvas import EDGES, extend

NUMPY_MODE = {"reflect": "reflect", "symmetric": "symmetric", "replicate": "edge", "wrap": "wrap"}
X = np.random.default_rng(0).random((5, 4, 2), np.float32)


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("margin", [0, 3, ((1, 12), (9, 0))])
def test_extends_as_numpy_pads(edge, margin):
    pairs = ((margin, margin), (margin, margin)) if isinstance(margin, int) else margin
    want = np.pad(X, (*pairs, (0, 0)), NUMPY_MODE[edge])
    np.testing.assert_array_equal(extend(X, margin, edge), want)


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("size", [(5, 4), (3, 2), (1, 1), (2, 4)])
def test_a_smaller_picture_is_extended_from_its_own_borders(edge, size):
    h, w = size
    margins = ((2, 2 + 5 - h), (2, 2 + 4 - w))
    want = np.pad(X[:h, :w], (*margins, (0, 0)), NUMPY_MODE[edge])
    got = jax.jit(lambda x, h, w: extend(x, 2, edge, (h, w)))(X, h, w)
    np.testing.assert_array_equal(got, want)


def test_refuses_another_edge():
    with pytest.raises(ValueError, match="edge must be one of"):
        extend(X, 1, "mirror")
