"""HR images: `open_source` opens, `build_cache` decodes once, `make_batch` cuts patches.

Everything here is uint8 [H, W, 3] NumPy on the host; the LR side is made from it on the device
(`jaxsr.degradations`) or comes from files (`open_pairs`). Importing this package imports NumPy
only: Pillow, tfds and tqdm come in with the first function that needs them. `jaxsr.data.prepare`
writes datasets, `jaxsr.data.device` cuts patches on the accelerator.
"""

from jaxsr.data.ahead import prefetch
from jaxsr.data.batches import Batch, Plan, cut, draw_crops, make_batch, make_plan
from jaxsr.data.cache import Cache, build_cache, cache_folder
from jaxsr.data.source import Source, open_source

__all__ = [
    "Batch",
    "Cache",
    "Plan",
    "Source",
    "build_cache",
    "cache_folder",
    "cut",
    "draw_crops",
    "make_batch",
    "make_plan",
    "open_source",
    "prefetch",
]
