"""The sets of the literature: what is in them, where to get them, how to tell a wrong copy.

Sizes and counts were measured on public copies; see docs/datasets.md. A set that is asked for by
name has passed its checks: the right number of images, and the sizes of the original.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Size = tuple[int, int]  # height, width
Check = Callable[[Sequence[Size]], str | None]


@dataclass(frozen=True)
class KnownSet:
    """One set.

    Attributes:
      title: as the literature writes it.
      home: where to get it.
      splits: the file stems of each split, or just the number of its images.
      hr: the folders where HR may be, `{part}` being one of `parts`; empty: any layout of
        `jaxsr.data.layouts`.
      parts: what the files of a split are called in folder names, in the order tried.
      tracks: for each kind of LR, such as "unknown_x4", the folders where it may be.
      check: what is wrong with the sizes of all images, in the order of the names.
    """

    title: str
    home: str
    splits: Mapping[str, tuple[str, ...] | int]
    hr: tuple[str, ...] = ()
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tracks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    check: Check = lambda sizes: None


def _sizes(*expected: Size) -> Check:
    """These sizes, in the order of the names."""

    def check(sizes: Sequence[Size]) -> str | None:
        wrong = [i for i, (a, b) in enumerate(zip(sizes, expected, strict=True)) if a != b]
        if not wrong:
            return None
        (h, w), (full_h, full_w) = sizes[wrong[0]], expected[wrong[0]]
        cropped = all(s[0] <= e[0] and s[1] <= e[1] for s, e in zip(sizes, expected, strict=True))
        what = "a cropped copy" if cropped else "another version"
        return (
            f"{what}: image {wrong[0] + 1} is {w}x{h} and the original {full_w}x{full_h} "
            f"({len(wrong)} of {len(sizes)} differ)"
        )

    return check


def _berkeley(sizes: Sequence[Size]) -> str | None:
    wrong = [size for size in sizes if size not in ((321, 481), (481, 321))]
    if not wrong:
        return None
    h, w = wrong[0]
    return (
        f"another version: {len(wrong)} of {len(sizes)} images are not 481x321 or 321x481, "
        f"the first of them {w}x{h}"
    )


def _urban100(sizes: Sequence[Size]) -> str | None:
    if max(sizes[0]) == 512:
        return "the half-size copy: the first image is 512 pixels long, the original 1024"
    if max(sizes[0]) != 1024:
        return f"another version: the first image is {max(sizes[0])} pixels long, not 1024"
    return None


def _manga109(sizes: Sequence[Size]) -> str | None:
    odd = [s for s in sizes if not (1072 <= s[0] <= 1170 and 742 <= s[1] <= 827)]
    if not odd:
        return None
    h, w = odd[0]
    return f"not the test set of one page per title: an image is {w}x{h}, a page 827x1170"


def _div2k(sizes: Sequence[Size]) -> str | None:
    if max(sizes[0]) != 2040:
        return f"another version: the first image is {max(sizes[0])} pixels long, not 2040"
    return None


def _numbers(first: int, last: int, digits: int) -> tuple[str, ...]:
    return tuple(f"{i:0{digits}d}" for i in range(first, last + 1))


def _tracks(pattern: str, kinds: Sequence[str], scales: Sequence[int]) -> dict[str, tuple]:
    return {
        f"{kind}_x{n}": (pattern.format(kind=kind, n=n, part="{part}"),)
        for kind in kinds
        for n in scales
    }


_BENCHMARK = "https://cv.snu.ac.kr/research/EDSR/benchmark.tar"
_BERKELEY = "https://github.com/BIDS/BSDS500"
_DIV2K_TRAIN, _DIV2K_VALIDATION = _numbers(1, 800, 4), _numbers(801, 900, 4)
_FLICKR2K = _numbers(1, 2650, 6)
_SET5 = ((512, 512), (288, 288), (256, 256), (280, 280), (344, 228))
_SET14 = (
    (480, 500),  # baboon
    (576, 720),  # barbara
    (512, 512),  # bridge, the only gray one
    (288, 352),  # coastguard
    (361, 250),  # comic: 360 in copies that are cropped for x2
    (276, 276),  # face
    (362, 500),  # flowers
    (288, 352),  # foreman
    (512, 512),  # lenna
    (512, 512),  # man
    (512, 768),  # monarch
    (512, 512),  # pepper
    (656, 529),  # ppt3: 528 wide where cropped
    (391, 586),  # zebra: 390
)

SETS: dict[str, KnownSet] = {
    "div2k": KnownSet(
        "DIV2K",
        "https://data.vision.ee.ethz.ch/cvl/DIV2K/",
        {"train": _DIV2K_TRAIN, "validation": _DIV2K_VALIDATION},
        hr=("DIV2K_{part}_HR", "{part}/HR", "HR/{part}"),
        # EDSR's and others' loaders want the validation images among the training images.
        parts={"train": ("train",), "validation": ("valid", "validation", "train")},
        tracks={
            **_tracks("DIV2K_{part}_LR_{kind}/X{n}", ("bicubic", "unknown"), (2, 3, 4)),
            "bicubic_x8": ("DIV2K_{part}_LR_x8", "DIV2K_{part}_LR_bicubic/X8"),
            **_tracks("DIV2K_{part}_LR_{kind}", ("mild", "difficult", "wild"), (4,)),
        },
        check=_div2k,
    ),
    "flickr2k": KnownSet(
        "Flickr2K",
        "https://cv.snu.ac.kr/research/EDSR/Flickr2K.tar",
        {"train": _FLICKR2K},
        hr=("Flickr2K_HR", "Flickr2K/Flickr2K_HR", "HR"),
        tracks=_tracks("Flickr2K_LR_{kind}/X{n}", ("bicubic", "unknown"), (2, 3, 4)),
    ),
    "df2k": KnownSet(
        "DF2K",
        "https://data.vision.ee.ethz.ch/cvl/DIV2K/ and "
        "https://cv.snu.ac.kr/research/EDSR/Flickr2K.tar",
        # Some copies have DIV2K's validation images, too: these are left out.
        {"train": _DIV2K_TRAIN + _FLICKR2K},
        hr=("DF2K_train_HR", "DF2K_HR", "HR"),
        tracks=_tracks("DF2K_train_LR_{kind}/X{n}", ("bicubic", "unknown"), (2, 3, 4)),
    ),
    "t91": KnownSet("T91", "https://cv.snu.ac.kr/research/VDSR/train_data.zip", {"train": 91}),
    "291": KnownSet("291", "https://cv.snu.ac.kr/research/VDSR/train_data.zip", {"train": 291}),
    "bsds200": KnownSet("BSDS200", _BERKELEY, {"train": 200}, check=_berkeley),
    "bsds500": KnownSet(
        "BSDS500",
        _BERKELEY,
        {"train": 200, "validation": 100, "test": 200},
        hr=("BSDS500/data/images/{part}", "data/images/{part}", "images/{part}", "{part}"),
        parts={"train": ("train",), "validation": ("val",), "test": ("test",)},
        check=_berkeley,
    ),
    "general100": KnownSet(
        "General100", "http://mmlab.ie.cuhk.edu.hk/projects/FSRCNN.html", {"train": 100}
    ),
    "wed": KnownSet("WED", "https://ece.uwaterloo.ca/~k29ma/exploration/", {"train": 4744}),
    "set5": KnownSet("Set5", _BENCHMARK, {"test": 5}, check=_sizes(*_SET5)),
    "set14": KnownSet("Set14", _BENCHMARK, {"test": 14}, check=_sizes(*_SET14)),
    "bsd100": KnownSet("BSD100", _BENCHMARK, {"test": 100}, check=_berkeley),
    "urban100": KnownSet("Urban100", _BENCHMARK, {"test": 100}, check=_urban100),
    "manga109": KnownSet("Manga109", "http://www.manga109.org", {"test": 109}, check=_manga109),
}
SETS["b100"] = SETS["bsd100"]  # as EDSR's archive calls it
