"""What may happen while images are cached: other processes, full disks, files that go away."""

import errno
import os
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from PIL import Image

from jaxsr.data import build_cache, cache_folder, open_source
from jaxsr.data.cache_lock import one_writer
from jaxsr.errors import InputError

SIZES = [(12, 10), (6, 20), (9, 9), (8, 7)]


class Listed:
    """Four images and the numbers of those that were read."""

    fingerprint = "v1"
    names = tuple(f"{i}.png" for i in range(len(SIZES)))

    def __init__(self):
        self.reads = []

    def __len__(self):
        return len(SIZES)

    def __getitem__(self, i):
        self.reads.append(i)
        return np.full((*SIZES[i], 3), i + 1, np.uint8)


def assert_whole(cache):
    assert len(cache) == len(SIZES)
    for i in range(len(SIZES)):
        np.testing.assert_array_equal(cache[i], Listed()[i])


def left(folder):
    return sorted(path.name for path in folder.rglob("*"))


@pytest.fixture
def first(tmp_path):
    """Another process that builds the same cache and waits, at image 2, for the file `go`."""
    pytest.importorskip("fcntl", reason="processes wait for each other only where there is flock")
    code = """
        import sys, time
        from pathlib import Path
        sys.path.insert(0, "tests/data")
        from test_cache_failures import Listed, assert_whole
        from jaxsr.data import build_cache

        folder = Path(sys.argv[1])

        class Waiting(Listed):
            def __getitem__(self, i):
                if i == 2:
                    print("decoding", flush=True)
                    while not (folder / "go").exists():
                        time.sleep(0.01)
                return super().__getitem__(i)

        source = Waiting()
        assert_whole(build_cache(source, residency="mmap", folder=folder / "cache"))
        print(*sorted(source.reads))
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "decoding\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("residency", ["mmap", "auto"])
def test_the_second_process_waits_for_the_first(first, tmp_path, residency):
    lines = []

    def warn(line):
        lines.append(line)
        (tmp_path / "go").touch()

    source = Listed()
    cache = build_cache(source, residency=residency, folder=tmp_path / "cache", warn=warn)
    assert_whole(cache)
    assert source.reads == []
    (file,) = (tmp_path / "cache").iterdir()
    assert lines == [f"waiting for another process to decode images into {file}"]
    assert first.stdout.read() == "0 1 2 3\n" and first.wait() == 0


def test_the_second_process_takes_over_from_a_killed_one(first, tmp_path):
    source = Listed()
    folder = tmp_path / "cache"
    cache = build_cache(source, residency="mmap", folder=folder, warn=lambda line: first.kill())
    assert_whole(cache)
    assert sorted(source.reads) == [0, 1, 2, 3]
    assert len(left(folder)) == 1


def test_who_waited_locks_a_file_that_others_see(tmp_path):
    """The first writer fails and takes its file away: a lock on that file would keep nobody out."""
    waits, seen = threading.Event(), []

    def second():
        with one_writer(tmp_path / "hr-1.cache", warn=lambda line: waits.set()) as name:
            seen.append(name.exists())

    thread = threading.Thread(target=second)
    with one_writer(tmp_path / "hr-1.cache", warn=pytest.fail):
        thread.start()
        assert waits.wait(10)
    thread.join(10)
    assert seen == [True]
    assert not list(tmp_path.iterdir())


def test_a_killed_process_leaves_nothing_that_lasts(first, tmp_path):
    first.kill()
    first.wait()
    (unfinished,) = left(tmp_path / "cache")
    assert unfinished.endswith(".tmp")
    source = Listed()
    cache = build_cache(source, residency="mmap", folder=tmp_path / "cache", warn=pytest.fail)
    assert_whole(cache)
    assert len(source.reads) == 4
    assert len(left(tmp_path / "cache")) == 1


def test_what_a_killed_process_left_is_removed_after_a_day(tmp_path):
    """Even if nobody wants these images again."""
    kept = ["mine.tmp", ".hr-new.tmp", "hr-other.cache"]
    for name in [*kept, ".hr-old.tmp"]:
        (tmp_path / name).write_text("")
        then = time.time() - 3600 * (1 if name == ".hr-new.tmp" else 25)
        os.utime(tmp_path / name, (then, then))
    assert_whole(build_cache(Listed(), residency="mmap", folder=tmp_path))
    assert set(left(tmp_path)) > set(kept) and len(left(tmp_path)) == 4


@pytest.mark.parametrize("missing", ["module", "support"])
def test_without_locks_both_decode(tmp_path, monkeypatch, missing):
    """The second starts, and ends, in the middle of the first."""
    if missing == "module":
        monkeypatch.setitem(sys.modules, "fcntl", None)
    else:
        fcntl = pytest.importorskip("fcntl")

        def flock(file, operation):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(fcntl, "flock", flock)

    class Racing(Listed):
        def __getitem__(self, i):
            if i == 2:
                assert_whole(build_cache(Listed(), residency="mmap", folder=tmp_path))
            return super().__getitem__(i)

    assert_whole(build_cache(Racing(), residency="mmap", folder=tmp_path))
    assert len(left(tmp_path)) == 1


def refused(folder, source=None, **options):
    """The line of the error, after checking that nothing half-written is left."""
    before = left(folder.parent)
    with pytest.raises(InputError) as error:
        build_cache(source or Listed(), residency="mmap", folder=folder, **options)
    assert left(folder.parent) == before and "\n" not in str(error.value)
    return str(error.value)


def test_a_full_disk(tmp_path):
    folder = tmp_path / "disk" / "cache"
    folder.parent.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "none", folder.parent]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small disk takes root")
    try:

        class Large(Listed):
            def __getitem__(self, i):
                return np.zeros((50, 50, 3), np.uint8)

        assert refused(folder, Large()) == (
            f"{folder}: cannot write the cache of decoded images (No space left on device); "
            "free some space or set JAXSR_CACHE to another folder"
        )
        assert_whole(build_cache(Listed(), residency="mmap", folder=folder))
    finally:
        subprocess.run(["umount", "-l", folder.parent], check=True)


@pytest.mark.parametrize("limit", [0, 500, 1000])
def test_a_limit_on_file_sizes(tmp_path, limit):
    """Reached in the pixels or in the index; a full disk is like it."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        line = refused(tmp_path / "new" / "cache")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "cannot write the cache of decoded images (File too large)" in line


def test_a_dataset_on_a_read_only_disk(tmp_path, monkeypatch):
    monkeypatch.delenv("JAXSR_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    Image.new("RGB", (5, 7), "red").save(dataset / "a.png")
    bind = ["mount", "--bind", dataset, dataset]
    try:
        mounted = subprocess.run(bind, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting takes root")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", dataset], check=True)
        folder = cache_folder(dataset)
        assert folder == tmp_path / "home" / ".cache" / "jaxsr"
        build_cache(open_source(dataset), residency="mmap", folder=folder)
        assert left(dataset) == ["a.png"] and len(left(folder)) == 1
        # An explicit folder is not replaced by another one.
        line = refused(dataset / ".jaxsr-cache")
        assert "Read-only file system" in line and str(dataset) in line
    finally:
        subprocess.run(["umount", "-l", dataset], check=True)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(40):
        Image.new("RGB", (5, 7), (i, 0, 0)).save(folder / f"{i}.png")
    return folder


def test_a_source_file_deleted_before_decoding(photos):
    source = open_source(photos)
    (photos / "7.png").unlink()
    line = refused(photos / ".jaxsr-cache", source)
    assert line == "1 of 40 images cannot be read: 7.png (no such file); replace or remove them"


def test_source_files_deleted_in_the_middle(photos):
    class Watched(Listed):
        images = open_source(photos)
        names = images.names
        fingerprint = images.fingerprint

        def __len__(self):
            return len(self.images)

        def __getitem__(self, i):
            if i == 2:
                for name in ("38.png", "39.png"):
                    (photos / name).unlink(missing_ok=True)
            return self.images[i]

    with pytest.raises(InputError, match=r"2 of 40 .*: 38\.png \(no such file\), 39\.png"):
        build_cache(Watched(), residency="mmap", folder=photos / ".jaxsr-cache")
    assert len(left(photos)) == 38


def test_a_cache_file_deleted_while_it_is_used(tmp_path):
    cache = build_cache(Listed(), residency="mmap", folder=tmp_path / "cache")
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    (tmp_path / "cache").rmdir()
    assert_whole(cache)
