"""Pixel losses, averaged over every element in float32."""

import jax
import jax.numpy as jnp


def mse(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Mean squared error of two images of the same shape; scalar."""
    return jnp.mean(jnp.square(_difference(sr, hr)))


def l1(sr: jax.Array, hr: jax.Array) -> jax.Array:
    """Mean absolute error; its gradient is 0 where both are equal (`jnp.abs` would give 1)."""
    difference = _difference(sr, hr)
    return jnp.mean(difference * jnp.sign(difference))


def _difference(sr: jax.Array, hr: jax.Array) -> jax.Array:
    if sr.shape != hr.shape:  # broadcasting would hide the mistake
        raise ValueError(f"SR and HR differ in shape: {sr.shape} and {hr.shape}")
    return sr.astype(jnp.float32) - hr.astype(jnp.float32)
