"""The rating page: one HTML file that needs nothing beside it, and the key to its answers.

The protocol is that of "Photo-Realistic Single Image Super-Resolution Using a Generative
Adversarial Network" (Ledig et al., CVPR 2017), section 3.3: whole scores from 1 (bad) to 5
(excellent), one picture at a time, in an order that is random anew for each rater, after examples
of both ends of the scale. Deviation: the example of a 1 is a bicubic enlargement; theirs is a
nearest-neighbour one.
"""

import base64
import hashlib
import json
import string
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jaxsr.errors import InputError
from jaxsr.mos.stimuli import Stimulus
from jaxsr.report.write import replacing

if TYPE_CHECKING:
    import jax

PAGE_FORMAT = "jaxsr mos page 1"
KEY_FORMAT = "jaxsr mos key 1"
ANSWERS_FORMAT = "jaxsr mos answers 1"
MAX_EXAMPLES = 20  # as many as the paper's raters saw


def make_page(
    stimuli: Sequence[Stimulus], out: Path, *, training: Path | None = None, scale: int = 4
) -> Path:
    """Writes the page and, beside it, the key: both, or neither.

    Pictures go in as 8-bit RGB PNG without any metadata; alpha is dropped.

    Args:
      stimuli: what is rated, in the order in which the file holds it.
      out: the new .html file.
      training: folder of HR images for the examples, best others than those that are rated; of
        more than MAX_EXAMPLES some are taken, evenly over the names.
      scale: of the bicubic enlargement that is the example of a 1.

    Returns:
      The path of the key, `out` with .key.json for .html: which method and image each id is.

    Raises:
      InputError: when a picture cannot be read, a file exists or cannot be written.
    """
    from jaxsr.data.images import read_rgb

    key = out.with_suffix(".key.json")
    if out.suffix.lower() != ".html":
        raise InputError(f"-o {out}: the page is written as .html; choose that extension")
    for path in (out, key):
        if path.exists():
            raise InputError(
                f"{path}: exists, and answers to its page need its key; choose another -o"
            )
    digest = hashlib.sha256()
    with replacing(out) as page, replacing(key) as key_file:
        page.write(_head())
        for i, stimulus in enumerate(stimuli):
            element = _picture(f"p{i}", read_rgb(stimulus.file))
            digest.update(f"{stimulus.id}{element}".encode())
            page.write(element)
        examples = 0
        for low, high in _examples(training, scale):
            element = _picture(f"low{examples}", low) + _picture(f"high{examples}", high)
            digest.update(element.encode())
            page.write(element)
            examples += 1
        data = {
            "format": PAGE_FORMAT,
            "answers": ANSWERS_FORMAT,
            "page": digest.hexdigest()[:16],
            "ids": [stimulus.id for stimulus in stimuli],
            "examples": examples,
        }
        page.write(_tail(data))
        known = {s.id: {"method": s.method, "image": s.image} for s in stimuli}
        value = {"format": KEY_FORMAT, "page": data["page"], "stimuli": known}
        key_file.write(json.dumps(value, indent=2) + "\n")
    return key


def _examples(training: Path | None, scale: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(bicubic, HR) of the training images, uint8 [H, W, 3]."""
    from jaxsr.data.images import read_rgb
    from jaxsr.image.io import find_images
    from jaxsr.image.resize import imresize
    from jaxsr.metrics.protocol import crop_to_multiple

    if training is None:
        return
    found = find_images(training)
    n = min(len(found), MAX_EXAMPLES)
    for i in range(n):
        file = found[i * len(found) // n]
        hr = read_rgb(file)
        if min(hr.shape[:2]) < scale:
            raise InputError(f"{file}: is smaller than the scale, {scale}; leave it out")
        hr = crop_to_multiple(hr, scale)
        lr: jax.Array = imresize(hr, 1 / scale)
        yield np.asarray(imresize(lr, scale)), hr


def _picture(name: str, pixels: np.ndarray) -> str:
    """An element that holds a PNG until the page's script asks for it."""
    from jaxsr.image.encode import encode

    data = base64.b64encode(encode(".png", pixels, None, None)).decode()
    return f'<script id="{name}" type="text/plain">{data}</script>\n'


def _head() -> str:
    here = files("jaxsr.mos")
    html = (here / "page.html").read_text("utf-8")
    return string.Template(html).substitute(css=(here / "page.css").read_text("utf-8"))


def _tail(data: dict[str, object]) -> str:
    script = (files("jaxsr.mos") / "page.js").read_text("utf-8")
    return (
        f'<script id="data" type="application/json">{json.dumps(data)}</script>\n'
        f"<script>\n{script}</script>\n</body>\n</html>\n"
    )
