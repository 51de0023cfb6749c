"""A trained network, or its opponent, from wherever it is: a run folder or a file of weights."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxsr.errors import InputError


def load_model(
    path: str | os.PathLike[str],
    *,
    model: str | None = None,
    scale: int | None = None,
    averaged: bool = True,
    warn: Callable[[str], Any] = warnings.warn,
    any_scale: bool = False,
) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The network of a training run or of a file of weights, as `(module, variables, spec)`.

    Args:
      path: the --workdir of a run (its best checkpoint is taken, the newest if none is ranked; at
        the scale that it scores, unless told another one that it trains) or a file: PyTorch's
        .pth or .pt, .safetensors, .npz, or the .mat of the early papers.
      model, scale: what it must hold; by default whatever is found. Needed only where neither
        the tensors nor the file's name tell the scale.
      averaged: False takes a run's parameters themselves, not their moving average.
      warn: gets one line for each checkpoint that is not whole.
      any_scale: take the first scale that the tensors fit where none is told; all of them are in
        `spec["scales"]`.

    Returns:
      The Flax module, `variables` for its `apply`, and what is known of them: `spec["config"]`
      has at least `model`, `scale` and `model_args`.

    Raises:
      InputError: nothing there, not readable, not recognised, or another model or scale.
    """
    if os.path.isdir(path):  # which, unlike Path's, answers for names that are too long
        from jaxsr.training.restore import load_model as from_run

        module, variables, spec = from_run(Path(path), averaged=averaged, warn=warn)
        stored = spec["config"]["model"]
        if model not in (None, stored):
            raise InputError(f"--model {model}, but {path} holds {stored}; drop --model")
        trained = spec["config"].get("scales") or [module.scale]
        if scale not in (None, *trained):
            held = " or ".join(map(str, trained))
            raise InputError(f"--scale {scale}, but {path} enlarges {held} times; drop --scale")
        module = module.clone(scale=scale or module.scale)
        config = spec["config"] | {"scale": module.scale}
        return module, variables, spec | {"config": config, "scales": list(trained)}
    if not averaged:
        raise InputError(f"{path}: a file has no average beside the parameters; give a run folder")
    from jaxsr.interop.weights import load_weights_file

    return load_weights_file(path, model=model, scale=scale, any_scale=any_scale)


def load_weights(
    path: str | os.PathLike[str], *, model: str | None = None, scale: int | None = None
) -> dict[str, Any]:
    """The variables alone: `load_model(path, ...)[1]`."""
    return load_model(path, model=model, scale=scale)[1]


def load_discriminator(
    path: str | os.PathLike[str],
    name: str | None = None,
    *,
    warn: Callable[[str], Any] = warnings.warn,
) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """A discriminator as `(module, variables, spec)`: `logits = module.apply(variables, x)`.

    Args:
      path: the --workdir of an adversarial run (its newest checkpoint is taken) or a file that
        `jaxsr convert --network discriminator` has written.
      name: which one of the run, by its name in the config; not needed where there is only one.
      warn: gets one line for each checkpoint that is not whole.

    Returns:
      The Flax module, `variables` for its `apply`, and a spec that tells in `"discriminator"` its
      `model`, its `model_args` and what it judges, `on`.

    Raises:
      InputError: nothing there, not readable, or without a discriminator of this name.
    """
    if os.path.isdir(path):
        from jaxsr.training.restore import load_discriminator as from_run

        return from_run(Path(path), name, warn=warn)
    if name is not None:
        raise InputError(f"{path}: a file holds one discriminator, without a name; drop '{name}'")
    from jaxsr.interop.discriminators import load_discriminator_file

    return load_discriminator_file(path)
