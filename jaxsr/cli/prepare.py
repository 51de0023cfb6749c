"""`jaxsr prepare DIR -o DATASET`: a folder of images becomes a tfds dataset (ArrayRecord)."""

import argparse
import shlex
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Adds `prepare` to the sub-commands of an argparse parser."""
    parser = subparsers.add_parser(
        "prepare",
        help="make a dataset of a folder of images",
        description="Makes a tfds dataset (ArrayRecord, no TensorFlow) of a folder of HR images.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="the images, or DIR/HR with them")
    parser.add_argument(
        "-o", "--output", metavar="DATASET", type=Path, required=True, help="the new folder"
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
    from jaxsr.data.source import dataset_records, find_dataset

    out = prepare(args.folder, args.output, validation=args.validation)
    dataset = find_dataset(out)
    assert dataset is not None
    splits = dataset_records(dataset)
    sizes = [(r["width"], r["height"]) for records in splits.values() for r in records]
    sizes.sort(key=lambda size: size[0] * size[1])
    megapixels = sum(w * h for w, h in sizes) / 1e6
    rows = {
        "images": str(len(sizes)),
        "megapixels": f"{megapixels:.1f}" if megapixels >= 0.1 else f"{megapixels:.2g}",
        "smallest": "{}x{}".format(*sizes[0]),
        "largest": "{}x{}".format(*sizes[-1]),
        "splits": ", ".join(f"{split} {len(records)}" for split, records in splits.items()),
        "dataset": str(dataset),
    }
    for label, value in rows.items():
        print(f"{label:<10}  {value}")
    print("\nTrain on it:")
    data = [f"--config.data.train={out}"]
    if "validation" in splits:
        data.append(f"--config.data.validation={out}")
    print(f"  python train.py --config=configs/espcn_x3.py {shlex.join(data)} --workdir=runs/NAME")
    return 0
