"""What every loss does with its inputs first."""

import jax
import jax.numpy as jnp


def widened(sr: jax.Array, hr: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Both in float32, or in float64 where one of them is: no loss is summed in half precision.

    Raises:
      ValueError: if their shapes differ; broadcasting would hide the mistake.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"SR and HR differ in shape: {sr.shape} and {hr.shape}")
    dtype = jnp.promote_types(jnp.promote_types(sr.dtype, hr.dtype), jnp.float32)
    return sr.astype(dtype), hr.astype(dtype)


def magnitude(x: jax.Array) -> jax.Array:
    """|x|, whose slope at 0 is 0: that of `jnp.abs` is 1 and would push what is right already."""
    return x * jnp.sign(x)
