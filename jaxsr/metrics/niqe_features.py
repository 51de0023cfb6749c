"""NIQE's 18 statistics of every block of a gray image at two scales.

They are read off the distribution of MSCN coefficients, the picture with its local mean taken off
and divided by its local deviation, and of products of neighbouring ones, to each of which an
asymmetric generalised Gaussian is fitted (Mittal et al. 2013,
https://doi.org/10.1109/LSP.2012.2227726; the authors' released code).

In float64: where a picture is flat, MSCN coefficients are rounding noise, of which the sign alone
decides what is counted as negative and what as positive.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxsr.image.kernels import matlab_taps

BLOCK = 96  # pixels a side
_REACH, _SIGMA = 3, 7 / 6  # the window of the local mean and deviation is 7x7
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # rows, columns to the neighbour
_FLAT = 1e-9
_CHUNK = 16  # blocks that are computed at once; always as many, so that nothing is compiled anew


def block_features(gray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The features of the whole blocks of 96x96 pixels, counted from the top left.

    |MSCN| below 1e-9 is set to 0, which is neither negative nor positive: the released code keeps
    the rounding noise, and its value for pictures with flat parts depends on the order of sums.

    Args:
      gray: [H, W], levels 0..255, H and W at least 96.

    Returns:
      float64 [blocks, 36], NaN where a block has no negative or no positive coefficients, and
      float64 [blocks], the mean local deviation ("sharpness") in levels.
    """
    h, w = (n // BLOCK * BLOCK for n in gray.shape)
    gray = gray[:h, :w].astype(np.float64)
    whole, sharpness = _features(_tiles(gray, BLOCK))
    half, _ = _features(_tiles(_halved(gray), BLOCK // 2))
    return np.concatenate([whole, half], axis=1), sharpness


def _halved(gray: np.ndarray) -> np.ndarray:
    """MATLAB's imresize(gray, 0.5) in float64, without a program for each size."""
    from scipy import sparse

    for _ in range(2):  # the rows; then, the axes swapped, the columns
        n = len(gray)
        taps = matlab_taps(n, n // 2, 0.5, "bicubic", True, "symmetric")
        first = np.arange(0, taps.weight.size + 1, taps.weight.shape[1])
        matrix = sparse.csr_array((taps.weight.ravel(), taps.index.ravel(), first), (n // 2, n))
        gray = (matrix @ gray).T
    return gray


def _tiles(gray: np.ndarray, side: int) -> np.ndarray:
    """[blocks, side + 6, side + 6]: each block and what the window reaches around it."""
    wide = np.pad(gray, _REACH, mode="edge")
    size = side + 2 * _REACH
    views = np.lib.stride_tricks.sliding_window_view(wide, (size, size))[::side, ::side]
    return views.reshape(-1, size, size)


def _features(tiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[blocks, 18] and the sharpness [blocks]."""
    count, *size = tiles.shape
    padded = np.zeros((-(-count // _CHUNK) * _CHUNK, *size))
    padded[:count] = tiles
    with jax.enable_x64(True):
        parts = [_moments(padded[i : i + _CHUNK]) for i in range(0, count, _CHUNK)]
        left, right, moment, sharpness = (
            np.concatenate([np.asarray(part) for part in column])[:count]
            for column in zip(*parts, strict=True)
        )
    alpha, ratio, left, right = _fit(left, right, moment)
    shape = np.stack([alpha[:, 0], (left[:, 0] + right[:, 0]) / 2], axis=1)
    products = np.stack([alpha, (right - left) * ratio, left, right], axis=2)[:, 1:]
    return np.concatenate([shape, products.reshape(count, -1)], axis=1), sharpness


@jax.jit
def _moments(tiles: jax.Array) -> tuple[jax.Array, ...]:
    """What the distributions in [N, n + 6, n + 6] are fitted by, each [N, 5]; sharpness [N].

    Of MSCN coefficients and of their products with the four neighbours (round the block's own
    border): the deviations to the left and to the right of 0, and E|v|^2 / E v^2.
    """
    picture = tiles[:, _REACH:-_REACH, _REACH:-_REACH]
    mean, of_squares = _window_mean(tiles), _window_mean(tiles * tiles)
    deviation = jnp.sqrt(jnp.abs(of_squares - mean * mean))
    mscn = (picture - mean) / (deviation + 1.0)
    mscn = jnp.where(jnp.abs(mscn) < _FLAT, 0.0, mscn)
    # Without the barriers XLA computes both anew for every sum, and takes longer to compile.
    mscn = jax.lax.optimization_barrier(mscn)
    v = jnp.stack([mscn, *(mscn * jnp.roll(mscn, shift, (1, 2)) for shift in _SHIFTS)], axis=1)
    v = jax.lax.optimization_barrier(v)
    square = v * v
    left, right = (
        jnp.sqrt(jnp.sum(square * side, (2, 3)) / jnp.sum(side, (2, 3)))
        for side in (1.0 * (v < 0), 1.0 * (v > 0))
    )
    moment = jnp.mean(jnp.abs(v), (2, 3)) ** 2 / jnp.mean(square, (2, 3))
    return left, right, moment, jnp.mean(deviation, axis=(1, 2))


def _window_mean(x: jax.Array) -> jax.Array:
    """Gaussian means over the valid region of [N, H, W]."""
    taps = np.exp(-(np.arange(-_REACH, _REACH + 1) ** 2) / (2 * _SIGMA**2))
    taps /= taps.sum()
    for axis in (1, 2):
        n = x.shape[axis] - 2 * _REACH
        x = functools.reduce(
            jnp.add,
            (tap * jax.lax.slice_in_dim(x, i, i + n, axis=axis) for i, tap in enumerate(taps)),
        )
    return x


def _fit(left: np.ndarray, right: np.ndarray, moment: np.ndarray) -> tuple[np.ndarray, ...]:
    """Asymmetric generalised Gaussians: alpha, G(2/a) / G(1/a), and the betas left and right.

    By moments: of r(alpha) = G(2/a)^2 / (G(1/a) G(3/a)) the value of a table that is nearest.
    Where that is not a number it is the table's first, as in the released code.
    """
    from scipy.special import gamma

    alpha = 0.2 + 0.001 * np.arange(9801)
    one, two, three = (gamma(k / alpha) for k in (1, 2, 3))
    table = two**2 / (one * three)  # it rises
    skew = left / right
    wanted = moment * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    after = np.clip(np.searchsorted(table, wanted), 1, len(table) - 1)
    nearest = np.where(wanted - table[after - 1] <= table[after] - wanted, after - 1, after)
    nearest = np.where(np.isnan(wanted), 0, nearest)
    spread = np.sqrt(one / three)[nearest]
    return alpha[nearest], (two / one)[nearest], left * spread, right * spread
