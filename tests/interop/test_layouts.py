"""All layouts together: every network is written by one and recognised by it alone."""

import jax
import numpy as np
import pytest

from jaxsr.interop.layouts import LAYOUTS
from jaxsr.interop.mapping import from_file, to_file, variable_shapes
from jaxsr.interop.weights import layouts_of
from jaxsr.models import MODELS, create_model

FEWER = {"rcan": {"groups": 1, "blocks": 1}}  # takes seconds otherwise


@pytest.mark.parametrize("name", [name for name, card in MODELS.items() if card.needs_weights])
def test_every_network_goes_out_under_names_by_which_it_is_recognised(name):
    module = create_model(name, scale=MODELS[name].scales[0], **FEWER.get(name, {}))
    zeros = jax.tree.map(lambda spec: np.zeros(spec.shape, np.float32), variable_shapes(module))
    fitting = layouts_of(module, zeros)
    assert fitting, f"no toolbox has {name}"
    for layout in fitting:
        state = to_file(layout, module, zeros)
        first = next(each for each in LAYOUTS if each.convert is None and each.detect(state))
        assert first is layout
        back = from_file(layout, module, state, "the file")
        jax.tree.map(np.testing.assert_array_equal, back, zeros)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.toolbox)
def test_no_layout_trips_over_other_files(layout):
    """Detection is asked about every file there is: it answers None, it never raises."""
    odd = {key: np.float32(1) for key in ("weight", "conv_first.weight", "body.0.weight")}
    shapes = [(), (3,), (1, 1), (64, 3, 3, 3), (0,), (2, 2, 2, 2, 2)]
    words = (
        "head.0",
        "conv1",
        "first_part.0",
        "input",
        "model.0",
        "conv_first",
        "body.0",
        "tail.1",
    )
    states = [{}, odd] + [
        {f"{word}.{kind}": np.zeros(s, np.float32) for word in words for kind in ("weight", "bias")}
        for s in shapes
    ]
    for state in states:
        tensors = state if layout.convert is None else layout.convert(state)
        assert tensors is None or layout.detect(tensors) is None
