"""Which scales a step trains."""

from dataclasses import replace

import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.training.config import DataConfig, TrainConfig
from jaxsr.training.rules import check
from jaxsr.training.scales import hr_patch, largest_cut, scales_of

CONFIG = TrainConfig("everything", 2, "y-uint8", "l1", 100, data=DataConfig(("a",), patch=96))
MIXED = replace(CONFIG, scales=(2, 3, 4))


def test_one_scale():
    assert scales_of(CONFIG, 7) == (2,)
    assert hr_patch(CONFIG, (2,)) == largest_cut(CONFIG) == 96


def test_one_drawn_for_each_step():
    """All equally likely, another order for another seed, and LR patches of one size."""
    drawn = [scales_of(MIXED, step) for step in range(3000)]
    assert drawn == [scales_of(MIXED, step) for step in range(3000)]
    assert drawn != [scales_of(replace(MIXED, seed=1), step) for step in range(3000)]
    counts = np.unique(drawn, return_counts=True)[1]
    assert len(counts) == 3 and (abs(counts - 1000) < 100).all()  # four standard deviations
    assert [hr_patch(MIXED, (s,)) for s in (2, 3, 4)] == [96, 144, 192]
    assert largest_cut(MIXED) == 192


def test_all_in_one_batch():
    config = replace(MIXED, scale_mix="batch")
    assert scales_of(config, 7) == (2, 3, 4)
    assert hr_patch(config, (2, 3, 4)) == largest_cut(config) == 96


def test_scales_that_share_a_batch_must_divide_it(everything):
    config = replace(CONFIG, scales=(2, 3), scale_mix="batch")
    check(config)
    for change, message in (
        ({"patch": 98}, r"config.data.patch: 98 is no multiple of each of the scales \(2, 3\)"),
        ({"batch": 15}, r"config.data.batch: 15 does not split over the 2 scales"),
    ):
        with pytest.raises(InputError, match=message):
            check(replace(config, data=replace(config.data, **change)))
    with pytest.raises(InputError, match=r"config.data.patch: .* the scales \(2, 0\)"):
        check(replace(config, scales=(2, 0)))
