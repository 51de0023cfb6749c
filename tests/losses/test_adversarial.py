"""Adversarial losses against golden values, PyTorch, numeric slopes and closed forms."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsr.errors import InputError
from jaxsr.losses.adversarial import GAN_LOSSES, get_gan_loss, gradient_penalty, r1_penalty

KEY = jax.random.key(5)
NOISE = np.random.default_rng(5)
REAL: Any = NOISE.normal(0.5, 2.0, (2, 3, 3, 1)).astype(np.float32)
FAKE: Any = NOISE.normal(-0.5, 2.0, (2, 3, 3, 1)).astype(np.float32)
SIDES = [pytest.param(name, side, id=f"{name}-{GAN_LOSSES[name]._fields[side]}")
         for name in GAN_LOSSES for side in (0, 1)]  # fmt: skip


def sp(x):
    return np.logaddexp(0, x)


# What the papers and the field's code define: generator, discriminator, in NumPy's float64.
DEFINED: Any = {
    "vanilla": (lambda r, f: sp(-f).mean(), lambda r, f: sp(-r).mean() + sp(f).mean()),
    "least_squares": (
        lambda r, f: ((f - 1) ** 2).mean(),
        lambda r, f: ((r - 1) ** 2).mean() + (f**2).mean(),
    ),
    "hinge": (
        lambda r, f: -f.mean(),
        lambda r, f: np.maximum(0, 1 - r).mean() + np.maximum(0, 1 + f).mean(),
    ),
    "wasserstein": (lambda r, f: -f.mean(), lambda r, f: f.mean() - r.mean()),
    "relativistic": (
        lambda r, f: 0.5 * (sp(r - f.mean()).mean() + sp(-(f - r.mean())).mean()),
        lambda r, f: 0.5 * (sp(-(r - f.mean())).mean() + sp(f - r.mean()).mean()),
    ),
}


@pytest.mark.parametrize(
    ("name", "generator", "discriminator"),
    [
        ("vanilla", 0.9829719, 0.6380889 + 0.5829719),
        ("least_squares", 2.58, 1.75 + 0.78),
        ("hinge", 0.4, 0.8333333 + 0.7666667),
        ("wasserstein", 0.4, -0.4 - 0.5),
        ("relativistic", 1.3441036, 0.4441036),
    ],
)
def test_golden_values(name, generator, discriminator):
    """For these six logits, computed in float64 and given to 7 digits; to float32's rounding."""
    real, fake = jnp.array([[2.0], [-1.0], [0.5]]), jnp.array([[-1.5], [0.3], [0.0]])
    loss = get_gan_loss(name)
    assert float(loss.generator(real, fake)) == pytest.approx(generator, abs=4e-7)
    assert float(loss.discriminator(real, fake)) == pytest.approx(discriminator, abs=4e-7)


@pytest.mark.parametrize(("name", "side"), SIDES)
def test_definitions_and_their_numeric_slopes(name, side):
    """Value and both gradients; central differences in float64, whose error is below 1e-8."""
    value, slopes = jax.value_and_grad(GAN_LOSSES[name][side], (0, 1))(REAL, FAKE)
    both = np.stack([REAL, FAKE]).astype(np.float64)
    assert float(value) == pytest.approx(DEFINED[name][side](*both), rel=1e-6)
    want, step = np.zeros_like(both), 1e-5
    for at in np.ndindex(both.shape):
        up, down = both.copy(), both.copy()
        up[at], down[at] = both[at] + step, both[at] - step
        want[at] = (DEFINED[name][side](*up) - DEFINED[name][side](*down)) / (2 * step)
    np.testing.assert_allclose(np.stack(slopes), want, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("name", "side"), SIDES)
def test_pytorch_gives_the_same(name, side):
    """Its cross-entropy with logits, squared error and ReLU, and their gradients."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    functional = torch.nn.functional

    def cross_entropy(x, label):
        return functional.binary_cross_entropy_with_logits(x, torch.full_like(x, label))

    def squares(x, label):
        return functional.mse_loss(x, torch.full_like(x, label))

    r, f = (torch.tensor(x, requires_grad=True) for x in (REAL, FAKE))
    rf, fr = r - f.mean(), f - r.mean()
    want = {
        "vanilla": (cross_entropy(f, 1.0), cross_entropy(r, 1.0) + cross_entropy(f, 0.0)),
        "least_squares": (squares(f, 1.0), squares(r, 1.0) + squares(f, 0.0)),
        "hinge": (-f.mean(), functional.relu(1 - r).mean() + functional.relu(1 + f).mean()),
        "wasserstein": (-f.mean(), f.mean() - r.mean()),
        "relativistic": (
            (cross_entropy(rf, 0.0) + cross_entropy(fr, 1.0)) / 2,
            (cross_entropy(rf, 1.0) + cross_entropy(fr, 0.0)) / 2,
        ),
    }[name][side]
    want.backward()
    value, slopes = jax.value_and_grad(GAN_LOSSES[name][side], (0, 1))(REAL, FAKE)
    np.testing.assert_allclose(value, want.detach(), rtol=1e-6)
    for got, logits in zip(slopes, (r, f), strict=True):
        expected = np.zeros_like(got) if logits.grad is None else logits.grad.numpy()
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("size", [50.0, 1e4])
@pytest.mark.parametrize(("name", "side"), SIDES)
def test_large_logits(name, side, size):
    """Right or wrong with full confidence: the value is exact and no slope is lost to overflow."""
    for sign in (1.0, -1.0):
        real, fake = np.full((2, 1), sign * size), np.full((2, 1), -sign * size)
        value, slopes = jax.value_and_grad(GAN_LOSSES[name][side], (0, 1))(
            jnp.float32(real), jnp.float32(fake)
        )
        want = DEFINED[name][side](real, fake)
        assert float(value) == pytest.approx(want, rel=1e-6, abs=1e-37)
        assert np.all(np.isfinite(np.stack(slopes)))
        if side == 0 and sign > 0 and name != "least_squares":
            assert np.all(slopes[1] <= -0.5 + 1e-6)  # 1 / N: the generator still learns


@pytest.mark.parametrize(("name", "side"), SIDES)
def test_half_precision_is_averaged_in_float32(name, side):
    loss = GAN_LOSSES[name][side]
    real, fake = jnp.asarray(REAL, jnp.bfloat16), jnp.asarray(FAKE, jnp.bfloat16)
    value = loss(real, fake)
    assert value.dtype == jnp.float32 and value.shape == ()
    assert value == loss(real.astype(jnp.float32), fake.astype(jnp.float32))


def test_hinge_does_not_push_at_its_margin():
    """PyTorch's ReLU has slope 0 there, too."""
    slopes = jax.grad(GAN_LOSSES["hinge"].discriminator, (0, 1))(
        jnp.ones((2, 1)), -jnp.ones((2, 1))
    )
    np.testing.assert_array_equal(np.stack(slopes), 0)


def test_what_an_undecided_discriminator_costs():
    """All logits 0: log 2 for each cross-entropy, which is where a GAN should end."""
    zero = jnp.zeros((2, 1))
    got = {name: [float(loss[k](zero, zero)) for k in (0, 1)] for name, loss in GAN_LOSSES.items()}
    log2 = pytest.approx(np.log(2), rel=1e-6)
    assert got["vanilla"] == [log2, pytest.approx(2 * np.log(2), rel=1e-6)]
    assert got["relativistic"] == [log2, log2]
    assert got["least_squares"] == [1, 1]
    assert got["hinge"] == [0, 2]
    assert got["wasserstein"] == [0, 0]


def test_symmetries():
    """Exchange of real and fake, and a constant added to all logits; to 1e-5."""

    def close(a, b):
        return float(a) == pytest.approx(float(b), rel=1e-5, abs=1e-6)

    for name in ("vanilla", "hinge", "wasserstein", "relativistic"):  # labels exchanged, sign, too
        loss = GAN_LOSSES[name].discriminator
        assert close(loss(-FAKE, -REAL), loss(REAL, FAKE)), name
    squares = GAN_LOSSES["least_squares"].discriminator
    assert close(squares(1 - FAKE, 1 - REAL), squares(REAL, FAKE))

    vanilla = GAN_LOSSES["vanilla"].discriminator
    assert close(vanilla(FAKE, REAL) - vanilla(REAL, FAKE), REAL.mean() - FAKE.mean())
    wasserstein = GAN_LOSSES["wasserstein"].discriminator
    assert close(wasserstein(FAKE, REAL), -wasserstein(REAL, FAKE))
    assert close(wasserstein(REAL + 3, FAKE + 3), wasserstein(REAL, FAKE))
    generator, discriminator, _ = GAN_LOSSES["relativistic"]
    assert close(generator(FAKE, REAL), discriminator(REAL, FAKE))
    for side in (generator, discriminator):
        assert close(side(REAL + 3, FAKE + 3), side(REAL, FAKE))
        slopes = jax.grad(side, (0, 1))(REAL, FAKE)
        assert abs(np.sum(slopes)) < 1e-6  # so no gradient moves all logits at once


def test_scores_are_above_0_for_what_is_taken_for_real():
    """Halfway between the labels, or over the mean of the other kind where there are none."""
    real, fake = jnp.array([[2.0], [0.25], [-1.0]]), jnp.array([[0.75], [-0.5], [0.0]])
    halves = {"vanilla": 0.0, "hinge": 0.0, "least_squares": 0.5}
    expected = {name: (real - half, fake - half) for name, half in halves.items()}
    for name in ("wasserstein", "relativistic"):
        expected[name] = (real - 0.25 / 3, fake - 1.25 / 3)
    assert expected.keys() == GAN_LOSSES.keys()
    for name, scores in expected.items():
        got = GAN_LOSSES[name].scores(real.astype(jnp.bfloat16), fake.astype(jnp.bfloat16))
        np.testing.assert_allclose(got, scores, atol=1e-6, err_msg=name)
        assert got[0].dtype == jnp.float32


def test_both_halves_of_the_relativistic_loss_teach_the_generator():
    """The half of the real logits reaches the fakes through their mean, with equal slopes."""
    generator = GAN_LOSSES["relativistic"].generator
    slope = jax.grad(generator, 1)(REAL, FAKE)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    r, f = REAL.astype(np.float64), FAKE.astype(np.float64)
    through_mean = np.full(f.shape, -sigmoid(r - f.mean()).mean() / f.size)
    np.testing.assert_allclose(
        slope, (through_mean - sigmoid(r.mean() - f) / f.size) / 2, rtol=1e-5, atol=1e-8
    )


def test_feature_space_loss_reaches_the_image():
    """SRFeat's second discriminator judges features: here of a linear network, logits w . (A x)."""
    network = NOISE.normal(size=(3, 4)).astype(np.float32)
    weights = NOISE.normal(size=(4, 1)).astype(np.float32)
    hr, sr = NOISE.random((2, 2, 5, 3), np.float32)

    def loss(sr):
        real, fake = (jnp.matmul(jnp.matmul(x, network), weights) for x in (hr, sr))
        return GAN_LOSSES["vanilla"].generator(real, fake)

    logits = sr @ network @ weights
    want = -1 / (1 + np.exp(logits)) / logits.size * (network @ weights)[:, 0]
    np.testing.assert_allclose(jax.grad(loss)(sr), want, rtol=1e-4, atol=1e-7)


IMAGES: Any = NOISE.random((2, 4, 2, 2, 3), np.float32)


def test_gradient_penalty_of_a_linear_critic():
    """D(x) = w . x has slope w everywhere: (|w| - 1)^2, and 2 (1 - 1 / |w|) w by w."""
    w = NOISE.normal(size=(2, 2, 3)).astype(np.float32)

    def penalty(w):
        return gradient_penalty(
            lambda x: jnp.einsum("nhwc,hwc->n", x, w), IMAGES[0], IMAGES[1], KEY
        )

    value, slope = jax.jit(jax.value_and_grad(penalty))(w)
    norm = np.linalg.norm(w)
    assert float(value) == pytest.approx((norm - 1) ** 2, rel=1e-5)
    np.testing.assert_allclose(slope, 2 * (1 - 1 / norm) * w, rtol=1e-5)


def test_gradient_penalty_of_a_flat_critic_is_finite():
    """Norm 0, the start of a zero-initialised last layer: value 1, slope 0 rather than NaN."""

    def penalty(w):
        return gradient_penalty(lambda x: w * jnp.sum(x, (1, 2, 3)), IMAGES[0], IMAGES[1], KEY)

    value, slope = jax.value_and_grad(penalty)(0.0)
    assert float(value) == pytest.approx(1, abs=1e-5)
    assert float(slope) == 0


def test_gradient_penalty_is_one_norm_a_sample():
    """D(x) = c |x|^2 / 2 has slope c x; with real = fake nothing is random. A norm a pixel, as in
    some code, would give another value.
    """
    x = IMAGES[0]
    got = gradient_penalty(lambda x: 0.7 * jnp.sum(jnp.square(x), (1, 2, 3)) / 2, x, x, KEY)
    norms = 0.7 * np.linalg.norm(x.reshape(len(x), -1), axis=1)
    assert float(got) == pytest.approx(np.mean((norms - 1) ** 2), rel=1e-5)


def test_gradient_penalty_looks_between_real_and_fake():
    """Real of length 1, fake 0, D(x) = |x|^2 / 2: the norm is a, so that the mean of (a - 1)^2 is
    1/3, whose standard error is 0.298 / sqrt(N); one a for the whole batch would be seen.
    """
    n = 4096
    real, fake = jnp.full((n, 4), 0.5), jnp.zeros((n, 4))
    penalty = jax.jit(
        lambda key: gradient_penalty(lambda x: jnp.sum(x * x, 1) / 2, real, fake, key)
    )
    value = float(penalty(KEY))
    assert value == pytest.approx(1 / 3, abs=4 * 0.298 / np.sqrt(n))
    assert value == float(penalty(KEY)) != float(penalty(jax.random.key(6)))
    # Beyond them it does not look: a critic that is steep only there costs nothing more.
    steep = gradient_penalty(lambda x: jnp.sum(x + 9 * jax.nn.relu(x - 0.5), 1), real, fake, KEY)
    assert float(steep) == pytest.approx((2 - 1) ** 2, rel=1e-5)


def test_r1_of_a_quadratic_critic():
    """D(x) = x . A x / 2 has slope A x: mean |A x|^2 / 2, and by a factor c of D, c^2 times."""
    half = NOISE.normal(size=(12, 12)).astype(np.float32)
    matrix = half + half.T
    x = IMAGES[0].reshape(4, 12)

    def penalty(c):
        return r1_penalty(lambda x: c * jnp.einsum("ni,ij,nj->n", x, matrix, x) / 2, x)

    want = np.mean(np.sum(np.square(x.astype(float) @ matrix), axis=1)) / 2
    value, slope = jax.value_and_grad(penalty)(1.0)
    assert float(value) == pytest.approx(want, rel=1e-5)
    assert float(slope) == pytest.approx(2 * want, rel=1e-5)
    value, slope = jax.value_and_grad(penalty)(0.0)  # no root, so a flat critic is harmless
    assert float(value) == 0 and float(slope) == 0


def test_penalties_of_a_small_network_as_in_pytorch():
    """Two layers on a map of logits: values, and the slopes by the weights (second order)."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    x = IMAGES[0]
    first, second = (NOISE.normal(size=s).astype(np.float32) for s in ((3, 5), (5, 1)))

    def penalties(weights):
        def critic(x):
            return jnp.matmul(jax.nn.softplus(jnp.matmul(x, weights[0])), weights[1])

        return gradient_penalty(critic, x, x, KEY), r1_penalty(critic, x)

    values = jax.jit(penalties)((first, second))
    slopes = jax.jit(jax.jacrev(penalties))((first, second))

    for i, got in enumerate(values):
        weights = [torch.tensor(w, requires_grad=True) for w in (first, second)]
        image = torch.tensor(x, requires_grad=True)
        logits = torch.nn.functional.softplus(image @ weights[0]) @ weights[1]
        (slope,) = torch.autograd.grad(logits.sum(), image, create_graph=True)
        squared = slope.square().sum(dim=(1, 2, 3))
        want = ((squared.sqrt() - 1) ** 2).mean() if i == 0 else squared.mean() / 2
        want.backward()
        np.testing.assert_allclose(got, want.detach(), rtol=1e-5)
        for mine, theirs in zip(slopes[i], weights, strict=True):
            np.testing.assert_allclose(mine, theirs.grad, rtol=1e-4, atol=1e-6)


def test_penalties_of_half_precision():
    """Images and logits in bfloat16; the slope, 2, is exact there, and its norm is float32's."""
    real, fake = jnp.asarray(IMAGES, jnp.bfloat16)

    def critic(x):
        return jnp.sum(x.astype(jnp.bfloat16) * jnp.bfloat16(2), (1, 2, 3))

    for value, want in [
        (gradient_penalty(critic, real, fake, KEY), (np.sqrt(4.0 * 12) - 1) ** 2),
        (r1_penalty(critic, real), 4.0 * 12 / 2),
    ]:
        assert value.dtype == jnp.float32
        assert float(value) == pytest.approx(want, rel=1e-6)


def test_samples_that_cannot_be_paired_are_refused():
    with pytest.raises(ValueError, match=r"\(4, 2, 2, 3\) and \(1, 2, 2, 3\)"):
        gradient_penalty(jnp.sum, IMAGES[0], IMAGES[1][:1], KEY)


def test_names():
    assert get_gan_loss("hinge") is GAN_LOSSES["hinge"]
    with pytest.raises(InputError, match="unknown adversarial loss 'ragan'; known: hinge"):
        get_gan_loss("ragan")
