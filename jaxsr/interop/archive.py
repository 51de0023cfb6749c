"""Zip files that may lie about their sizes."""

import io
import zipfile
from collections import Counter


class Budget:
    """How many bytes a file may grow to when it is read: 16 times its own, and a megabyte.

    Weights do not compress, so that only a trap grows further: a bomb of zeros in a zip file, a
    tensor that repeats one number a billion times.
    """

    def __init__(self, size: int):
        self.left = 16 * size + 2**20

    def take(self, size: int, what: str) -> None:
        """Raises ValueError if `what` of `size` bytes is more than what is left."""
        self.left -= size
        if size < 0 or self.left < 0:
            raise ValueError(f"{what} claims {size} bytes, more than such a file can hold")


class Archive:
    """The members of a zip file, by name.

    Raises:
      ValueError: for names that occur twice, and on reading for a member that is damaged,
        encrypted, compressed in an unusual way or larger than the budget.
      zipfile.BadZipFile: for what is not a whole zip file.
    """

    def __init__(self, data: bytes, budget: Budget):
        self._zip = zipfile.ZipFile(io.BytesIO(data))
        self._budget = budget
        self.names = self._zip.namelist()
        twice, number = max(Counter(self.names).items(), key=lambda item: item[1], default=("", 0))
        if number > 1:
            raise ValueError(f"it has two members {twice[:80]!r}")

    def __contains__(self, name: str) -> bool:
        return name in self._zip.NameToInfo

    def read(self, name: str) -> bytes:
        if name not in self:
            raise ValueError(f"it has no member {name[:80]!r}")
        info = self._zip.getinfo(name)
        if info.flag_bits & 1 or info.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):
            raise ValueError(f"its member {name[:80]!r} is encrypted or compressed unusually")
        self._budget.take(info.file_size, f"its member {name[:80]!r}")
        return self._zip.read(info)
