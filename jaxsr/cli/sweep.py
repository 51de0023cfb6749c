"""The sweep of `jaxsr interpolate`: the networks between two, each scored as eval.py would."""

import argparse
import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxsr.cli.plan import make_folder
from jaxsr.cli.run import warn
from jaxsr.cli.scoring import (
    Scoring,
    make_scoring,
    measure_set,
    print_notes,
    read_sets,
    report,
    set_folders,
    wanted_measures,
    write_report,
)
from jaxsr.errors import InputError

if TYPE_CHECKING:
    from jaxsr.evaluation import Score, TestImage

Sets = Mapping[str, "list[TestImage]"]
Watch = Callable[[Sequence[Any]], Iterable[Any]]


def sweep(args: argparse.Namespace, alphas: Sequence[float]) -> int:
    """Prints a row of each alpha (and set), and writes OUT/alpha_0.20.json and so on.

    Raises:
      InputError: before the first is scored, for what eval.py refuses and for two networks of
        different architectures, or trained under different conditions where none is given.
    """
    from tqdm import tqdm

    from jaxsr.interop.interpolate import shared_network
    from jaxsr.loading import load_model
    from jaxsr.metrics.registry import cells, titles

    measures = wanted_measures(args)
    a, b = (load_model(path, scale=args.scale, warn=warn) for path in (args.a, args.b))
    module, spec = shared_network(a, b, (str(args.a), str(args.b)))
    scoring = make_scoring(args, measures, module, _config(args, a[2]["config"], b[2]["config"]))
    sets = read_sets(scoring, set_folders(args.data))
    out = Path(args.output)
    make_folder(out)
    if not os.access(out, os.W_OK):
        raise InputError(f"-o: cannot write into {out}; choose another folder")

    name, mixed = spec["config"]["model"], "images" if args.images else "weights"
    print(f"{name} x{scoring.scale}, {args.a} to {args.b}, {mixed} mixed")
    print(f"protocol {scoring.protocol.name}, degradation {scoring.made}")
    first = max(16, *(len(key) + 2 for key in sets))
    print(f"{'alpha':<8}{'set':<{first}}{titles(measures)}{'images':>9}")
    passes = 2 * len(alphas) + (2 if args.images else 0)  # over each set
    total = passes * sum(map(len, sets.values()))
    with tqdm(total=total, leave=False, disable=None, delay=2) as bar:

        def watch(items: Sequence[Any]) -> Iterator[Any]:
            for item in items:
                yield item
                bar.update()

        results = _of_images if args.images else _of_weights
        for alpha, scores in results(scoring, sets, a[1], b[1], alphas, watch):
            text = _text(alpha)
            found: dict[str, Any] = {}
            for key, images in sets.items():
                found[key] = measure_set(scoring, images, scores[key], watch)
                row = f"{text:<8}{key:<{first}}{cells(measures, found[key])}{len(images):>9}"
                tqdm.write(row)
            model = f"{name} images {text}" if args.images else f"{name} {text}"
            write_report(out / f"alpha_{text}.json", report(model, scoring, found), "-o")
    print_notes(args, scoring)
    return 0


def _text(alpha: float) -> str:
    """0.20: two digits after the point or more, so that names sort as numbers do."""
    import numpy as np

    return np.format_float_positional(alpha, min_digits=2)


def _config(args: argparse.Namespace, a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """What both runs say of how to score, or the one that is a run."""
    for field in ("protocol", "degradation"):
        if getattr(args, field) is None and field in a and field in b and a[field] != b[field]:
            raise InputError(f"{args.a} and {args.b} differ in their {field}; give --{field}")
    return {**a, **b}


def _of_weights(
    scoring: Scoring, sets: Sets, a: Any, b: Any, alphas: Sequence[float], watch: Watch
) -> "Iterator[tuple[float, dict[str, Sequence[Score]]]]":
    """For each alpha what the network between gives; all networks share the compiled programs."""
    from jaxsr.evaluation import evaluate
    from jaxsr.interop.interpolate import interpolate_weights

    for alpha in alphas:
        between = interpolate_weights(a, b, alpha)
        scores: dict[str, Sequence[Score]] = {}
        for key, images in sets.items():
            scores[key] = evaluate(scoring.score, between, images, watch).images
        yield alpha, scores


def _of_images(
    scoring: Scoring, sets: Sets, a: Any, b: Any, alphas: Sequence[float], watch: Watch
) -> "Iterator[tuple[float, dict[str, Sequence[Score]]]]":
    """For each alpha the mixed 8-bit results of the two networks, which run once."""
    import jax

    from jaxsr.evaluation import evaluate, truth
    from jaxsr.image.colour import to_float
    from jaxsr.interop.interpolate import interpolate_pixels

    ends = {
        key: [evaluate(scoring.score, variables, images, watch).images for variables in (a, b)]
        for key, images in sets.items()
    }
    program = jax.jit(
        lambda sr, hr: scoring.protocol.score(to_float(sr), to_float(hr), scoring.scale)
    )

    def mix(ours: "Score", theirs: "Score", image: "TestImage", alpha: float) -> "Score":
        sr = interpolate_pixels(ours.sr, theirs.sr, alpha)
        psnr, ssim = program(sr[None], truth(scoring.protocol, image)[None])
        return dataclasses.replace(ours, psnr=float(psnr[0]), ssim=float(ssim[0]), sr=sr)

    for alpha in alphas:
        scores: dict[str, Sequence[Score]] = {}
        for key, images in sets.items():
            triples = list(zip(*ends[key], images, strict=True))
            scores[key] = [mix(x, y, image, alpha) for x, y, image in watch(triples)]
        yield alpha, scores
