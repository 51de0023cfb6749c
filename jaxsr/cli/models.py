"""`jaxsr models`: what can be built, how large it is and what it costs."""

import argparse
import json
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Adds `models` to the sub-commands of an argparse parser."""
    parser = subparsers.add_parser(
        "models",
        help="list the models",
        description="Lists the models: parameters, and Mult-Adds for a 1280x720 output.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(func=command)


def command(args: argparse.Namespace) -> int:
    """Prints a line per model and scale, or the whole table as JSON."""
    from jaxsr.models import MODELS

    table = describe()
    if args.json:
        print(json.dumps(table, indent=2))
        return 0
    print(f"{'model':<16}{'year':<6}{'up-sampling':<18}{'scale':>5}{'parameters':>13}{'G M-A':>10}")
    for row in table:
        head = f"{row['name']:<16}{row['year'] or '-':<6}{row['upsampling']:<18}"
        if not MODELS[row["name"]].scales:
            print(f"{head}{'any':>5}{0:>13}{0:>10.1f}")
            continue
        for scale, parameters in row["params"].items():
            mult_adds = row["mult_adds"][scale] / 1e9
            print(f"{head}{'x' + scale:>5}{parameters:>13,}{mult_adds:>10.1f}")
            head = " " * len(head)
    return 0


def describe() -> list[dict[str, Any]]:
    """One dict per model: name, title, year, url, upsampling, params and mult_adds by scale.

    Models that take any scale are shown at 2, 3 and 4.
    """
    from jaxsr.models import MODELS, create_model
    from jaxsr.models.count import count_mult_adds, count_parameters

    table = []
    for name, card in MODELS.items():
        models = {str(scale): create_model(name, scale=scale) for scale in card.scales or (2, 3, 4)}
        table.append(
            {
                "name": name,
                "title": card.title,
                "year": card.year,
                "url": card.url,
                "upsampling": card.upsampling,
                "params": {scale: count_parameters(model) for scale, model in models.items()},
                "mult_adds": {scale: count_mult_adds(model) for scale, model in models.items()},
            }
        )
    return table
