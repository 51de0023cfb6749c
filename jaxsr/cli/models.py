"""`jaxsr models`: what can be built, how large it is, what it costs and what it reached."""

import argparse
import json
import textwrap
from collections.abc import Sequence
from typing import Any

from jaxsr.errors import InputError, nearest


def add_parser(subparsers: Any) -> None:
    """Adds `models` to the sub-commands of an argparse parser."""
    parser = subparsers.add_parser(
        "models",
        help="list the models",
        description="Lists the models: parameters, Mult-Adds for a 1280x720 output, published "
        "PSNR-Y on Set5. With names, prints their cards: paper, recipe, all scores.",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="print the cards of these models")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print JSON")
    how.add_argument("--markdown", action="store_true", help="print the page of the documentation")
    parser.set_defaults(func=command)


def command(args: argparse.Namespace) -> int:
    """Prints a line per model and scale, or cards, or all of it as JSON or Markdown."""
    rows = describe(args.names)
    if args.json:
        print(json.dumps(rows, indent=2))
    elif args.markdown:
        print(markdown(rows))
    elif args.names:
        print("\n\n".join(_card(row) for row in rows))
    else:
        print("\n".join(_table(rows)))
    return 0


def describe(names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """One dict per model, in the registry's order: what its card says, and its counts by scale.

    Models that take any scale are shown at 2, 3 and 4.

    Raises:
      InputError: for an unknown name.
    """
    from jaxsr.models import MODELS, create_model
    from jaxsr.models.count import count_mult_adds, count_parameters

    for name in names:
        if name not in MODELS:
            raise InputError(f"unknown model '{name}'{nearest(name, MODELS)}")
    rows = []
    for name, card in MODELS.items():
        if names and name not in names:
            continue
        models: dict[str, Any] = {
            str(scale): create_model(name, scale=scale) for scale in card.scales or (2, 3, 4)
        }
        colours = {"rgb": "RGB", "y": "luma (chroma by bicubic)", "any": "any"}
        rows.append(
            {
                "name": name,
                "title": card.title,
                "year": card.year,
                "url": card.url,
                "upsampling": card.upsampling,
                "colour": colours[next(iter(models.values())).colour],
                "any_scale": not card.scales,
                "params": {scale: count_parameters(model) for scale, model in models.items()},
                "mult_adds": {scale: count_mult_adds(model) for scale, model in models.items()},
                "recipe": card.recipe,
                "published": {
                    str(scale): {
                        key: {"psnr": psnr, "ssim": ssim} for key, (psnr, ssim) in scores.items()
                    }
                    for scale, scores in card.published.items()
                },
                "note": card.note,
            }
        )
    return rows


def _table(rows: Sequence[dict[str, Any]]) -> list[str]:
    width = max(len(row["name"]) for row in rows) + 2
    where = max(len(row["upsampling"]) for row in rows) + 2
    lines = [
        f"{'model':<{width}}{'year':<6}{'up-sampling':<{where}}"
        f"{'scale':>5}{'parameters':>13}{'G Mult-Adds':>13}{'Set5 dB':>9}"
    ]
    for row in rows:
        head = f"{row['name']:<{width}}{row['year'] or '-':<6}{row['upsampling']:<{where}}"
        if row["any_scale"]:
            lines.append(f"{head}{'any':>5}{0:>13}{0:>13.1f}{'-':>9}")
            continue
        for scale, parameters in row["params"].items():
            mult_adds = row["mult_adds"][scale] / 1e9
            lines.append(
                f"{head}{'x' + scale:>5}{parameters:>13,}{mult_adds:>13,.1f}"
                f"{_set5(row, scale) or '-':>9}"
            )
            head = " " * len(head)
    return lines


def _card(row: dict[str, Any]) -> str:
    """One model for the terminal."""
    year = f" ({row['year']})" if row["year"] else ""
    lines = [f"{row['name']}: {row['title']}{year}"]

    def add(label: str, text: str) -> None:
        if text:
            wrapped = textwrap.wrap(text, 84, break_long_words=False, break_on_hyphens=False)
            first, *rest = wrapped
            lines.append(f"  {label:<12}{first}")
            lines.extend(" " * 14 + line for line in rest)

    add("paper", row["url"])
    add("colour", row["colour"])
    add("up-sampling", row["upsampling"])
    for scale, parameters in row["params"].items():
        mult_adds = row["mult_adds"][scale] / 1e9
        add(f"x{scale}", f"{parameters:>13,} parameters{mult_adds:>10,.1f} G Mult-Adds")
    add("recipe", row["recipe"])
    for scale, scores in row["published"].items():
        add(f"x{scale} PSNR-Y", ", ".join(f"{key} {_score(s)}" for key, s in scores.items()))
    add("note", row["note"])
    return "\n".join(lines)


def _set5(row: dict[str, Any], scale: str) -> str:
    """The published PSNR-Y on Set5, or nothing."""
    score = row["published"].get(scale, {}).get("Set5")
    return f"{score['psnr']:.2f}" if score else ""


def _score(score: dict[str, float | None]) -> str:
    ssim = "" if score["ssim"] is None else f"/{score['ssim']:.4f}".replace("0.", ".", 1)
    return f"{score['psnr']:.2f}{ssim}"


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The page `docs/models.md`: the table, then a section per network."""
    lines = [
        "# The models",
        "",
        "Made by `jaxsr models --markdown`; `jaxsr models NAME` prints one of these cards.",
        "Parameters and Mult-Adds (for an output of 1280x720) are counted from the modules; the",
        "scores are the published ones, PSNR-Y and SSIM.",
        "",
        "| model | year | up-sampling | scale | parameters | Mult-Adds (G) | Set5 (dB) |",
        "|---|---|---|---|--:|--:|--:|",
    ]
    for row in rows:
        about = f"{row['year'] or ''} | {row['upsampling']}"
        if row["any_scale"]:
            lines.append(f"| `{row['name']}` | {about} | any | 0 | 0.0 | |")
            continue
        for scale, parameters in row["params"].items():
            lines.append(
                f"| [`{row['name']}`](#{row['name']}) | {about} | x{scale} | {parameters:,} "
                f"| {row['mult_adds'][scale] / 1e9:,.1f} | {_set5(row, scale)} |"
            )
    for row in rows:
        if row["any_scale"]:
            continue
        lines += ["", f"## {row['name']}", "", f"[{row['title']}]({row['url']}), {row['year']}."]
        lines.append(f"Takes {row['colour']}. Up-sampling: {row['upsampling']}.")
        for text in (row["recipe"], row["note"]):
            if text:
                lines += ["", text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")]
        if row["published"]:
            sets = list(dict.fromkeys(key for s in row["published"].values() for key in s))
            lines += [
                "",
                "| PSNR-Y / SSIM | " + " | ".join(sets) + " |",
                "|---" * (1 + len(sets)) + "|",
            ]
            for scale, scores in row["published"].items():
                cells = [_score(scores[key]) if key in scores else "" for key in sets]
                lines.append(f"| x{scale} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
