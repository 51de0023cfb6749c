"""What a run is trained and scored on: opened, decoded and planned before anything is written."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jaxsr.data import Plan, build_cache, cache_folder, make_plan, open_source
from jaxsr.data.cache import Cache
from jaxsr.data.pairs import open_pairs
from jaxsr.data.source import Source
from jaxsr.errors import InputError
from jaxsr.evaluation import TestImage, read_test_set
from jaxsr.metrics import get_protocol
from jaxsr.training.config import TrainConfig
from jaxsr.training.meter import Say
from jaxsr.training.scales import largest_cut


@dataclass(frozen=True)
class Inputs:
    """What patches are cut from, and the images of the validation."""

    plan: Plan
    tests: list[TestImage]


def open_inputs(config: TrainConfig, say: Say) -> Inputs:
    """Opens and decodes everything that `config.data` names.

    Raises:
      InputError: for images that are missing, broken or too small.
    """
    protocol, spec = get_protocol(config.protocol), config.degradation
    tests: list[TestImage] = []
    for path in config.data.validation:
        tests += read_test_set(path, config.scale, protocol, spec)
    plan = _pairs_plan(config, say) if config.degradation == "given" else _hr_plan(config, say)
    return Inputs(plan, tests)


def _hr_plan(config: TrainConfig, say: Say) -> Plan:
    source = open_source(config.data.train)
    cache = _cache(source, config, say, min_size=largest_cut(config))
    _tell_left_out(cache.left_out, config, say)
    groups = _group(np.asarray(cache.origin), source.counts)
    _check_weights(groups, config)
    return make_plan(
        cache,
        config.data.patch,
        groups=groups,
        weights=config.data.weights,
        min_detail=config.data.min_detail,
    )


def _pairs_plan(config: TrainConfig, say: Say) -> Plan:
    pairs = open_pairs(config.data.train, scale=config.scale)
    lr, hr = _cache(pairs.lr, config, say), _cache(pairs.hr, config, say)
    side = largest_cut(config)
    small = [min(image.shape[:2]) < side for image in hr.images]
    keep = [j for j, i in enumerate(pairs.hr_of) if not small[i]]
    if not keep:
        raise InputError(
            f"none of the {len(hr)} HR images has room for a patch of {side}x{side}; "
            "take a smaller patch or larger images"
        )
    labels = [
        f"{name} {image.shape[1]}x{image.shape[0]}"
        for name, image in zip(hr.names, hr.images, strict=True)
    ]
    _tell_left_out(list(itertools.compress(labels, small)), config, say)
    groups = _group(np.asarray(keep), pairs.lr.counts)
    _check_weights(groups, config)
    return make_plan(
        hr,
        config.data.patch,
        lr=[lr[j] for j in keep],
        hr_of=[pairs.hr_of[j] for j in keep],
        scale=config.scale,
        groups=groups,
        weights=config.data.weights,
        min_detail=config.data.min_detail,
    )


def _cache(source: Source, config: TrainConfig, say: Say, *, min_size: int = 1) -> Cache:
    # On the way into an accelerator's memory the pixels are held in that of the host.
    residency = "auto" if config.data.residency == "device" else config.data.residency
    return build_cache(
        source,
        residency=residency,
        memory_limit=config.data.memory_limit_mib << 20,
        folder=cache_folder(config.data.train),
        rescale=config.data.rescale,
        min_size=min_size,
        warn=say,
    )


def _group(origin: np.ndarray, counts: Sequence[int]) -> list[int]:
    """Which path each image is from, `counts` being the images of each path."""
    return np.searchsorted(np.cumsum(counts), origin, side="right").tolist()


def _check_weights(groups: Sequence[int], config: TrainConfig) -> None:
    """A set without a share must be seen by who gave it one."""
    empty = [config.data.train[g] for g in sorted({*range(len(config.data.train))} - {*groups})]
    if config.data.weights and empty:
        side = largest_cut(config)
        raise InputError(
            f"config.data.weights: no image of {empty[0]} has room for a patch of {side}x{side}; "
            "leave it out of config.data.train, or take a smaller patch"
        )


def _tell_left_out(small: Sequence[str], config: TrainConfig, say: Say) -> None:
    if small:
        more = f" and {len(small) - 5} more" if len(small) > 5 else ""
        names = ", ".join(small[:5])
        say(f"left out, smaller than the {largest_cut(config)} px patch: {names}{more}")
