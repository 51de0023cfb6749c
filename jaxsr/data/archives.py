"""DIV2K's archives: sizes and digests, to tell a whole download from one that was cut short.

SHA-256 and bytes as in TensorFlow Datasets' list of checksums.
"""

import hashlib
from pathlib import Path

# Name -> bytes, SHA-256.
DIV2K = {
    "DIV2K_train_HR.zip": (
        3530603713,
        "9d0b9c463f6e35b6c62cc6a930ee2224f670b34c1df841a57670f9acf0f6c335",
    ),
    "DIV2K_valid_HR.zip": (
        448993893,
        "20dd31fd84d777bc1cf5d6b7654a3f569c0aec74458ae094122ad1d0489900fc",
    ),
    "DIV2K_train_LR_bicubic_X2.zip": (
        925390592,
        "a53a424317575838dadce4bcd97cf7b744d6855f43740ed5f0245af3cf4bd850",
    ),
    "DIV2K_train_LR_bicubic_X3.zip": (
        427847282,
        "ad5c8e5507e2765823d3c2c5bd0934842efcd487c5370604c224090898b3163a",
    ),
    "DIV2K_train_LR_bicubic_X4.zip": (
        246914039,
        "f006b837f4eb52b82909aa01478e6d6d199eefce932179491d0c9dbb706dde3a",
    ),
    "DIV2K_train_LR_unknown_X2.zip": (
        734182735,
        "f166eeba119fc55bfc9a99c05561980e7a965382f36640ce8ef626c9f61d122c",
    ),
    "DIV2K_train_LR_unknown_X3.zip": (
        377245548,
        "b6455af3b2aa02d76ae3238c49d7aae3b48b0acdc44b5bdc0f4c02d40ebcb43b",
    ),
    "DIV2K_train_LR_unknown_X4.zip": (
        208956781,
        "d131c7aad51e0abbdc4433362ce899e5e75f40b9847ead70ee995188e8fd0adb",
    ),
    "DIV2K_train_LR_x8.zip": (
        65753171,
        "706fa23164fa0756a3accb78e69b937ea47f882b47e13506895deefd623a35c2",
    ),
    "DIV2K_train_LR_mild.zip": (
        275693358,
        "ce5fbe6252d1000c55656b0666dccdeaf8e66b86ae5ff528c49343012e8e1391",
    ),
    "DIV2K_train_LR_difficult.zip": (
        263211252,
        "50624a649a0857fdb8e4a948e79c44c37dedbacb5729f9349cc983c47bfdf799",
    ),
    "DIV2K_train_LR_wild.zip": (
        1079873385,
        "ce68f7db812d12241212bb9d6b07406472bef3d785c463238888b44189c5ceb3",
    ),
    "DIV2K_valid_LR_bicubic_X2.zip": (
        117763600,
        "60eed9875c697df51204aa579e2a699e1d5215095788a097ff54dd17e2664d57",
    ),
    "DIV2K_valid_LR_bicubic_X3.zip": (
        54513392,
        "04b9a2ed3b4a0715d3924d3ae8514830c3328fac8d30512ce716d6f419e052a3",
    ),
    "DIV2K_valid_LR_bicubic_X4.zip": (
        31505881,
        "a50a5d1c4b88de4e8d300d8fb2b904c52fe93b2b298a4899697760d7cbb6d553",
    ),
    "DIV2K_valid_LR_unknown_X2.zip": (
        93433041,
        "ec50bb084c0011130874efd2ed7859b46e0aa7104c565818d5271ac315e04e0a",
    ),
    "DIV2K_valid_LR_unknown_X3.zip": (
        48143315,
        "ebf23a3e1ef6800cae97285d3a50d022d89b62655e685884c0abcc89eec5b809",
    ),
    "DIV2K_valid_LR_unknown_X4.zip": (
        26695095,
        "e3897555a98de1157c20974fb6093105fbc1ff5e9caf7bd348f58f6da140fbef",
    ),
    "DIV2K_valid_LR_x8.zip": (
        8428103,
        "3432f23da7c6887acc5e2cde9669427a7710b3b256c58912dddc19e3eda5bc69",
    ),
    "DIV2K_valid_LR_mild.zip": (
        35300939,
        "eedfbcb6acc6662a3f52924aaa5a423693244f3276d37c3fca7944c7325859ff",
    ),
    "DIV2K_valid_LR_difficult.zip": (
        33596835,
        "08b4e740496b50846497463121329c707dd8ed26eb8a655d175e9a595286d5e8",
    ),
    "DIV2K_valid_LR_wild.zip": (
        34655417,
        "ce921d2048eef3e1fd9ba359d1876b1c93e33bd7a531306f7782672391df9820",
    ),
}


def advice(archive: Path) -> str:
    """What to do with an archive of DIV2K that is there but not unpacked (reads all of it)."""
    size, digest = DIV2K[archive.name]
    found = archive.stat().st_size
    if found != size:
        return f"{archive} has {found} bytes of {size}: download it again"
    with archive.open("rb") as file:
        whole = hashlib.file_digest(file, "sha256").hexdigest() == digest
    return f"unpack {archive}" if whole else f"{archive} is damaged: download it again"
