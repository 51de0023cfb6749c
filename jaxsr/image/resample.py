"""Resampling to sizes that may be drawn at random, by the rules of PyTorch, OpenCV and MATLAB.

One matrix per axis, built on the device. Positions are ratios of integers and rounded only once,
so that every device takes the same pixels. For fixed sizes, 8-bit images and Pillow's kernels see
`resize`.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxsr.image.canvas import Size, size_of

MODES = ("nearest", "bilinear", "cubic", "area", "adaptive", "bicubic")
EDGES = ("symmetric", "replicate")
Mode = str | tuple[tuple[str, ...], int | jax.Array]


def resample(
    x: jax.Array,
    shape: tuple[int, int],
    mode: Mode,
    *,
    size: Size | None = None,
    out_size: Size | None = None,
    scale: float | jax.Array | None = None,
    edge: str = "symmetric",
) -> jax.Array:
    """Resamples the picture in the corner of x to the picture in the corner of the result.

    Args:
      x: [H, W, C], float of any range; nothing is clipped.
      shape: (H, W) of the resulting array.
      mode: one of
        "nearest": pixel floor(i * in / out), PyTorch's and OpenCV's;
        "bilinear" and "cubic" (a = -0.75): PyTorch's and OpenCV's, not antialiased, the border
        replicated;
        "area": OpenCV's INTER_AREA, the mean over what an output pixel covers (OpenCV leaves out
        fractions of a pixel below 0.001), except that an axis that shrinks while the other grows
        mixes only two pixels;
        "adaptive": PyTorch's "area", the mean over all pixels that an output pixel touches;
        "bicubic": MATLAB's `imresize`, antialiased, a = -0.5;
        or (names, index) for names[index], with an index that may be traced.
      size: of the picture in x, see `canvas`.
      out_size: of the picture in the result, default `shape`.
      scale: out/in, for a library that is given a factor: positions then follow from it, not from
        the ratio of the sizes ("adaptive" always takes the sizes). Not below 1/in.
      edge: of "bicubic": "symmetric", or "replicate" as in older MATLAB.

    Returns:
      [*shape, C]; beyond `out_size`, the picture's last row and column again.

    Raises:
      ValueError: for another mode or edge.
    """
    names, index = ((mode,), 0) if isinstance(mode, str) else mode
    for name in names:
        if name not in MODES:
            raise ValueError(f"mode must be one of {MODES}, got {name!r}")
    if edge not in EDGES:
        raise ValueError(f"edge must be one of {EDGES}, got {edge!r}")
    (h, w), (out_h, out_w) = size_of(x, size), shape if out_size is None else out_size
    rows = _Axis(jnp.int32(h), jnp.int32(out_h), x.shape[0], shape[0], scale)
    columns = _Axis(jnp.int32(w), jnp.int32(out_w), x.shape[1], shape[1], scale)
    grows = rows.grows() | columns.grows()

    def matrices(name: str) -> tuple[jax.Array, jax.Array]:
        return _matrix(rows, name, grows, edge), _matrix(columns, name, grows, edge)

    vertical, horizontal = jax.lax.switch(
        index, [lambda name=name: matrices(name) for name in names]
    )
    if size is not None:  # by selection: zero times NaN is NaN
        inside = (jnp.arange(x.shape[0]) < h)[:, None] & (jnp.arange(x.shape[1]) < w)[None]
        x = jnp.where(inside[..., None], x, 0.0)
    products = [("oh,hwc->owc", vertical), ("ow,hwc->hoc", horizontal)]
    rows_first = shape[0] * x.shape[1] * (x.shape[0] + shape[1])
    columns_first = x.shape[0] * shape[1] * (x.shape[1] + shape[0])
    for spec, matrix in products if rows_first <= columns_first else products[::-1]:
        x = jnp.einsum(spec, matrix.astype(x.dtype), x, precision=jax.lax.Precision.HIGHEST)
    return x


@dataclass(frozen=True)
class _Axis:
    """n pixels become m, in arrays of `length` and `out_length`; see `resample` for `scale`."""

    n: jax.Array
    m: jax.Array
    length: int
    out_length: int
    scale: float | jax.Array | None

    def grows(self) -> jax.Array:
        return self.m > self.n if self.scale is None else jnp.asarray(self.scale > 1)

    def input(self) -> jax.Array:
        """[length] int32."""
        return jnp.arange(self.length, dtype=jnp.int32)

    def output(self) -> jax.Array:
        """[out_length] int32; the last pixel again beyond it, which keeps all numbers finite."""
        return jnp.minimum(jnp.arange(self.out_length, dtype=jnp.int32), self.m - 1)

    def centre(self) -> tuple[jax.Array, jax.Array]:
        """(whole, fraction) of where the output pixels' centres lie among the input's."""
        if self.scale is None:
            twice = (2 * self.output() + 1) * self.n - self.m  # in parts, 2m to the pixel; > -2m
            whole = jax.lax.div(twice + 2 * self.m, 2 * self.m) - 1
            return whole, (twice - 2 * self.m * whole) / (2 * self.m).astype(jnp.float32)
        return _split((self.output() + 0.5) * (1 / self.scale) - 0.5)

    def border(self, step: int) -> tuple[jax.Array, jax.Array]:
        """(whole, fraction) of the output pixels' first (step 0) or last (1) border."""
        at = self.output() + step
        if self.scale is None:
            whole = jax.lax.div(at * self.n, self.m)
            return whole, (at * self.n - whole * self.m) / self.m.astype(jnp.float32)
        return _split(at * (1 / self.scale))

    def weights(self, taps: list[tuple[jax.Array, jax.Array | float]]) -> jax.Array:
        """[out_length, length] of (index, weight) of every output pixel, the border replicated."""
        matrix = jnp.zeros((self.out_length, self.length))
        for index, weight in taps:
            chosen = jnp.clip(index, 0, self.n - 1)[:, None] == self.input()[None]
            weight = jnp.broadcast_to(jnp.asarray(weight), index.shape)
            matrix = matrix + jnp.where(chosen, weight[:, None], 0.0)
        return matrix


def _split(position: jax.Array) -> tuple[jax.Array, jax.Array]:
    whole = jnp.floor(position)
    return whole.astype(jnp.int32), position - whole


def _matrix(axis: _Axis, mode: str, grows: jax.Array, edge: str) -> jax.Array:
    """The [out_length, length] matrix of one axis; zero in columns beyond the picture."""
    if mode == "nearest":
        return axis.weights([(axis.border(0)[0], 1.0)])
    if mode == "bilinear":
        whole, t = axis.centre()
        return axis.weights([(whole, 1.0 - t), (whole + 1, t)])
    if mode == "cubic":
        whole, t = axis.centre()
        return axis.weights([(whole + k, _keys(t - k, -0.75)) for k in (-1, 0, 1, 2)])
    if mode == "area":
        return jnp.where(grows, _two_covered(axis), _covered(axis))
    if mode == "adaptive":
        return _touched(axis)
    return _antialiased(axis, edge)


def _covered(axis: _Axis) -> jax.Array:
    """The share of the output pixel that each input pixel covers."""
    (first, head), (last, tail) = axis.border(0), axis.border(1)
    begin = (first[:, None] - axis.input()[None]) + head[:, None]  # seen from the input pixel
    end = (last[:, None] - axis.input()[None]) + tail[:, None]
    share = jnp.clip(end, 0.0, 1.0) - jnp.clip(begin, 0.0, 1.0)
    share = jnp.where(axis.input()[None] < axis.n, share, 0.0)  # a factor may reach beyond
    return share / jnp.sum(share, axis=1, keepdims=True)


def _two_covered(axis: _Axis) -> jax.Array:
    """OpenCV's rule once an axis grows: the first covered pixel and the next, by its share.

    That is the whole of what an output pixel covers, unless this axis shrinks.
    """
    whole, _ = axis.border(0)
    if axis.scale is None:
        beyond = ((axis.output() + 1) * axis.n - (whole + 1) * axis.m) / axis.n.astype(jnp.float32)
    else:
        beyond = (axis.output() + 1) - (whole + 1) * axis.scale  # in output pixels
    share = jnp.where(beyond > 0, beyond - jnp.floor(beyond), 0.0)
    return axis.weights([(whole, 1.0 - share), (whole + 1, share)])


def _touched(axis: _Axis) -> jax.Array:
    """The same weight for all pixels from the floor of the first border to the last's ceiling."""
    first = jax.lax.div(axis.output() * axis.n, axis.m)
    last = jax.lax.div((axis.output() + 1) * axis.n + axis.m - 1, axis.m)
    i = axis.input()[None]
    touched = (first[:, None] <= i) & (i < last[:, None])
    return jnp.where(touched, 1.0 / (last - first)[:, None], 0.0)


def _antialiased(axis: _Axis, edge: str) -> jax.Array:
    """Keys' kernel, stretched by in/out when that shrinks; beyond the border, mirrored pixels.

    The kernel reaches at most two axes' lengths beyond an output pixel, hence five periods.
    """
    n, i = axis.n, axis.input()
    whole, t = axis.centre()
    if axis.scale is None:
        shrink = jnp.minimum(axis.m / n.astype(jnp.float32), 1.0)
    else:
        shrink = jnp.minimum(axis.scale, 1.0)
    pixel = jnp.stack([i, -1 - i, i - 2 * n, 2 * n - 1 - i, i + 2 * n])
    weight = _keys(shrink * ((whole[:, None, None] - pixel[None]) + t[:, None, None]), -0.5)
    weight = jnp.where((i < n)[None, None], weight, 0.0)
    if edge == "symmetric":
        matrix = jnp.sum(weight, axis=1)
    else:  # the kernel's tails all fall on the first and on the last pixel
        before, after = jnp.sum(weight[:, 1:3], axis=(1, 2)), jnp.sum(weight[:, 3:], axis=(1, 2))
        matrix = weight[:, 0] + jnp.where((i == 0)[None], before[:, None], 0.0)
        matrix = matrix + jnp.where((i == n - 1)[None], after[:, None], 0.0)
    return matrix / jnp.sum(matrix, axis=1, keepdims=True)


def _keys(x: jax.Array, a: float) -> jax.Array:
    """Keys' cubic convolution."""
    x = jnp.abs(x)
    near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    far = ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
    return jnp.where(x <= 1, near, jnp.where(x < 2, far, 0.0))
