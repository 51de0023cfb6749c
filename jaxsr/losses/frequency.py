"""Losses of the Fourier spectrum, in float32."""

import jax
import jax.numpy as jnp

from jaxsr.losses.inputs import magnitude, widened


def fft(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Mean absolute difference of the real and of the imaginary parts of the spectra.

    Of the half spectrum that real images have, not normalised, as in SAFMN and traiNNer: it grows
    with the patch, about as its side, and with it its weight beside other losses.
    """
    sr, hr = widened(sr, hr)
    spectrum = jnp.fft.rfft2(sr - hr, axes=(1, 2))
    return jnp.mean(magnitude(jnp.stack([spectrum.real, spectrum.imag])))


def focal_frequency(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Mean of w |D|^2 over the spectrum D of the difference: frequencies count as they are missed.

    w = |D| / (its maximum over the image's channel), through which no gradient flows; D is
    orthonormal. Jiang et al. 2021, https://arxiv.org/abs/2012.12821, with alpha 1 and without
    patches; 0 for equal images.
    """
    sr, hr = widened(sr, hr)
    spectrum = jnp.fft.fft2(sr - hr, axes=(1, 2), norm="ortho")
    power = jnp.square(spectrum.real) + jnp.square(spectrum.imag)
    size = jnp.sqrt(jax.lax.stop_gradient(power))
    largest = jnp.max(size, axis=(1, 2), keepdims=True)
    return jnp.mean(size / jnp.where(largest > 0, largest, 1.0) * power)
