"""What all tests share: strict broadcasting, cheap parameters, the reference folder, a browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]

# Silent broadcasting between ranks hides mistakes in the order of axes.
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of test sets and golden values, which the repository does not hold."""
    folder = (ROOT / os.environ.get("JAXSR_REFERENCE", "../shared")).resolve()
    if not folder.is_dir():
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        stop("needs the reference folder; set JAXSR_REFERENCE")
    return folder


@pytest.fixture(scope="session")
def fake_params() -> Callable[..., dict[str, Any]]:
    """`fake_params(model, x)`: variables of the right shapes, filled without compiling anything.

    Small normal numbers, scaled by the fan-in so that activations neither die nor explode; scales
    of normalisations around 1.
    """

    def fill(model: Any, x: Any) -> dict[str, Any]:
        noise = np.random.default_rng(0)

        def leaf(path: tuple[Any, ...], spec: jax.ShapeDtypeStruct) -> np.ndarray:
            fan_in = max(1, int(np.prod(spec.shape[:-1])))
            values = noise.normal(0.0, fan_in**-0.5, spec.shape)
            kind = path[-1].key
            if kind == "scale":
                values = 1.0 + 0.1 * values
            elif kind == "var":
                values = 0.5 + np.abs(values)
            elif kind in ("bias", "slope", "mean"):
                values = 0.1 * values
            return values.astype(spec.dtype)

        shapes = jax.eval_shape(model.init, jax.random.key(0, impl="rbg"), x)
        kept = {name: shapes[name] for name in ("params", "batch_stats") if name in shapes}
        return jax.tree.map_with_path(leaf, kept)

    return fill


@pytest.fixture(scope="session")
def same_as_pytorch(fake_params: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """`same_as_pytorch(model, x)`: the network gives what plain PyTorch operations give.

    The weights go through the layout's names, so that these are tested, too. `layout` is one of
    `jaxsr.interop.layouts`; `network(state, x, model)` one of `benchmarks.pytorch`.
    """
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    from jaxsr.interop.mapping import from_file, to_file

    def check(model: Any, x: np.ndarray, layout: Any, network: Any, *, atol: float = 1e-4) -> None:
        variables = fake_params(model, x)
        state = to_file(layout, model, variables)
        tensors = {key: torch.from_numpy(np.array(value)) for key, value in state.items()}
        with torch.no_grad():
            want = network(tensors, torch.from_numpy(x.transpose(0, 3, 1, 2).copy()), model)
        got = jax.jit(model.apply)(variables, x)
        np.testing.assert_allclose(got, want.numpy().transpose(0, 2, 3, 1), rtol=0, atol=atol)
        back = from_file(layout, model, state, "the state dict")
        jax.tree.map(np.testing.assert_array_equal, back, variables)

    return check


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium that reaches no network, as a selenium WebDriver."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="drives a browser by selenium")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs a browser: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(flag)
    service = webdriver.ChromeService(executable_path=driver)
    browser = webdriver.Chrome(options=options, service=service)
    yield browser
    browser.quit()


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """The folder where `browser` puts what a page offers for download."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder


@pytest.fixture
def browser(chromium: Any, downloads: Path) -> Callable[..., Any]:
    """`browser(page, width=1280, height=800)`: opens an HTML file, with nothing remembered yet.

    Below 600 pixels the window is a phone's. Returns the selenium WebDriver. A page that is opened
    again by `driver.refresh()` or `driver.get` keeps its localStorage.
    """
    chromium.execute_cdp_cmd(
        "Storage.clearDataForOrigin", {"origin": "file://", "storageTypes": "all"}
    )
    chromium.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)}
    )

    def open_page(page: Path, *, width: int = 1280, height: int = 800) -> Any:
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        chromium.get(page.resolve().as_uri())
        return chromium

    return open_page
