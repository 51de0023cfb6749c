"""`jaxsr prepare DIR -o DATASET`: images, or pairs, become a tfds dataset (ArrayRecord)."""

import argparse
import shlex
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Adds `prepare` to the sub-commands of an argparse parser."""
    parser = subparsers.add_parser(
        "prepare",
        help="make a dataset of a folder of images",
        description="Makes a tfds dataset (ArrayRecord, no TensorFlow) of a folder of HR images, "
        "of a known set (div2k:DIR, checked), or of pairs (div2k/unknown_x4:DIR, HRDIR+LRDIR).",
    )
    parser.add_argument(
        "path", metavar="DIR", help="the images, DIR/HR with them, NAME[/TRACK]:DIR, HRDIR+LRDIR"
    )
    parser.add_argument(
        "-o", "--output", metavar="DATASET", type=Path, required=True, help="the new folder"
    )
    parser.add_argument(
        "--scale",
        metavar="N",
        type=int,
        help="take the LR images of this scale, too; NAME/TRACK says it by itself",
    )
    parser.add_argument(
        "--validation",
        metavar="N",
        type=int,
        default=0,
        help="images to set apart as split 'validation', spread over the names (default 0)",
    )
    parser.set_defaults(func=command)


def command(args: argparse.Namespace) -> int:
    """Makes the dataset and prints what is in it and how to train on it."""
    from jaxsr.data.prepare import prepare
    from jaxsr.data.records import dataset_records, find_dataset, first_of_each

    out = prepare(args.path, args.output, scale=args.scale, validation=args.validation)
    dataset = find_dataset(out)
    assert dataset is not None
    splits = dataset_records(dataset)
    firsts = [records[i] for records in splits.values() for i in first_of_each(records)]
    sizes = [(record["width"], record["height"]) for record in firsts]
    sizes.sort(key=lambda size: size[0] * size[1])
    megapixels = sum(w * h for w, h in sizes) / 1e6
    rows = {
        "images": str(len(sizes)),
        **_pairs([record for records in splits.values() for record in records]),
        "megapixels": f"{megapixels:.1f}" if megapixels >= 0.1 else f"{megapixels:.2g}",
        "smallest": "{}x{}".format(*sizes[0]),
        "largest": "{}x{}".format(*sizes[-1]),
        "splits": ", ".join(f"{split} {len(records)}" for split, records in splits.items()),
        "dataset": str(dataset),
    }
    for label, value in rows.items():
        print(f"{label:<10}  {value}")
    if "train" not in splits:
        print(f"\nScore on it:\n  --config.data.validation={shlex.quote(str(out))}")
        return 0
    print("\nTrain on it:")
    config, data = "configs/espcn_x3.py", [f"--config.data.train={out}"]
    if "LR images" in rows:
        config = f"configs/edsr.py:baseline_x{_scale(firsts[0])}"
        data.append("--config.degradation=given")
    if "validation" in splits:
        data.append(f"--config.data.validation={out}")
    print(f"  python train.py --config={config} {shlex.join(data)} --workdir=runs/NAME")
    return 0


def _pairs(records: list[dict[str, Any]]) -> dict[str, str]:
    """The row for LR, if there is any."""
    if "lr_width" not in records[0]:
        return {}
    return {"LR images": f"{len(records)} at x{_scale(records[0])}"}


def _scale(record: dict[str, Any]) -> int:
    # HR may be up to scale - 1 pixels larger than the part that LR shows.
    return record["width"] // record["lr_width"]
