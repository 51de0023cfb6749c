"""Files against Pillow, imagecodecs and tifffile, each used here on its own."""

import io
import struct
import zlib
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from jaxsr.errors import InputError
from jaxsr.image.io import MAX_PIXELS, Picture, find_images, image_size, read_image, write_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LOSSLESS8 = [".png", ".webp", ".tif", ".bmp"]


def noise(height, width, channels, dtype: Any = np.uint8):
    top = np.iinfo(dtype).max
    return np.random.default_rng(7).integers(0, top, (height, width, channels), dtype, True)


def chunk(kind, data):
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


def png(width, height, depth, colour, raw, *extra):
    header = struct.pack(">2I5B", width, height, depth, colour, 0, 0, 0)
    parts = [
        chunk(b"IHDR", header),
        *extra,
        chunk(b"IDAT", zlib.compress(raw)),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


# Writing, read back by the others


@pytest.mark.parametrize("extension", LOSSLESS8)
@pytest.mark.parametrize("channels", [1, 3])
def test_written_8_bits_read_by_pillow(tmp_path, extension, channels):
    pixels = noise(5, 7, channels)
    path = tmp_path / f"a{extension}"
    write_image(path, Picture(pixels))
    with Image.open(path) as image:
        assert image.mode == ("L" if channels == 1 and extension != ".webp" else "RGB")
        np.testing.assert_array_equal(
            np.asarray(image.convert("RGB")), np.broadcast_to(pixels, (5, 7, 3))
        )
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_jpeg_is_444_at_quality_95(tmp_path):
    pixels = noise(16, 16, 3)
    write_image(tmp_path / "a.JPG", Picture(pixels))
    reference = io.BytesIO()
    Image.fromarray(pixels).save(reference, "JPEG", quality=95, subsampling=0)
    assert (tmp_path / "a.JPG").read_bytes() == reference.getvalue()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
def test_written_16_bits_read_by_imagecodecs_and_tifffile(tmp_path, channels, alpha):
    samples = noise(5, 7, channels + alpha, np.uint16)
    picture = Picture(samples[..., :channels], samples[..., channels:] if alpha else None)
    write_image(tmp_path / "a.png", picture)
    write_image(tmp_path / "a.tif", picture)
    expected = samples.squeeze()
    np.testing.assert_array_equal(
        imagecodecs.png_decode((tmp_path / "a.png").read_bytes()), expected
    )
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), expected)


@pytest.mark.parametrize(
    ("extension", "dtype", "channels"),
    [(e, d, c) for e in (".png", ".tif") for d in (np.uint8, np.uint16) for c in (2, 4)]
    + [(".webp", np.uint8, 4)],
)
def test_alpha_round_trip(tmp_path, extension, dtype, channels):
    samples = noise(6, 5, channels, dtype)
    samples[:2, :, -1] = 0  # the colour of transparent pixels is kept, too
    write_image(tmp_path / f"a{extension}", Picture(samples[..., :-1], samples[..., -1:]))
    back = read_image(tmp_path / f"a{extension}")
    np.testing.assert_array_equal(back.pixels, samples[..., :-1])
    np.testing.assert_array_equal(back.alpha, samples[..., -1:])
    assert back.pixels.dtype == dtype


@pytest.mark.parametrize(
    ("extension", "dtype"),
    [(".png", np.uint8), (".png", np.uint16), (".tif", np.uint8), (".tif", np.uint16),
     (".jpg", np.uint8), (".webp", np.uint8)],
)  # fmt: skip
def test_icc_profile_survives(tmp_path, extension, dtype):
    path = tmp_path / f"a{extension}"
    write_image(path, Picture(noise(4, 4, 3, dtype), icc=SRGB))
    with Image.open(path) as image:
        assert image.info["icc_profile"] == SRGB
    assert read_image(path).icc == SRGB


# Reading what the others wrote


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".tif"])
def test_exif_orientation(tmp_path, orientation, extension):
    path = tmp_path / f"a{extension}"
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(noise(6, 9, 3)).save(path, exif=exif)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read_image(path).pixels, expected)
    assert image_size(path) == expected.shape[:2]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("late", [False, True])
def test_exif_orientation_of_16_bits(tmp_path, orientation, late):
    pixels = noise(6, 9, 3, np.uint16)
    exif = Image.Exif()
    exif[274] = orientation
    data, tag = imagecodecs.png_encode(pixels), chunk(b"eXIf", exif.tobytes()[6:])
    at = len(data) - 12 if late else 33  # before IEND or after IHDR
    (tmp_path / "a.png").write_bytes(data[:at] + tag + data[at:])
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="rgb", extratags=[(274, 3, 1, orientation, True)]
    )
    marks = np.arange(6 * 9, dtype=np.uint8).reshape(6, 9)  # Pillow turns 8 bits only
    image = Image.fromarray(marks)
    image.getexif()[274] = orientation
    expected = pixels.reshape(-1, 3)[np.asarray(ImageOps.exif_transpose(image))]
    for name in ("a.png", "a.tif"):
        np.testing.assert_array_equal(read_image(tmp_path / name).pixels, expected)
        assert image_size(tmp_path / name) == expected.shape[:2]


def test_dark_16_bit_file_stays_16_bit(tmp_path):
    pixels = noise(4, 5, 1, np.uint16) % 200
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels[..., 0].copy()))
    back = read_image(tmp_path / "a.png").pixels
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back, pixels)


def test_planar_white_is_zero_and_premultiplied_tiff(tmp_path):
    pixels = noise(4, 5, 3, np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.moveaxis(pixels, -1, 0), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_image(path).pixels, pixels)
    tifffile.imwrite(path, 65535 - pixels[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(read_image(path).pixels, pixels[..., :1])
    half = np.full((4, 5, 4), 30000, np.uint16)
    half[..., 3] = 40000
    tifffile.imwrite(path, half, photometric="rgb", extrasamples=["assocalpha"])
    back = read_image(path)
    np.testing.assert_array_equal(back.pixels, 49151)  # 30000 / 40000 * 65535 = 49151.25
    assert back.alpha is not None and (back.alpha == 40000).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "LA", "RGBA"])
def test_modes(tmp_path, mode):
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    image = Image.fromarray(noise(8, 8, 4), "RGBA").convert("RGB").convert(mode)
    image.save(path)
    target = {"1": "L", "P": "RGB", "CMYK": "RGB"}.get(mode, mode)
    expected = np.asarray(image.convert(target)).reshape(8, 8, -1)
    back = read_image(path)
    samples = back.pixels if back.alpha is None else np.concatenate([back.pixels, back.alpha], -1)
    np.testing.assert_array_equal(samples, expected)


def test_cmyk_jpeg_drops_the_profile_of_its_inks(tmp_path):
    Image.new("CMYK", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.jpg", icc_profile=b"inks")
    back = read_image(tmp_path / "a.jpg")
    np.testing.assert_array_equal(back.pixels, np.full((8, 8, 3), 255))
    assert back.icc is None


def test_palette_and_colour_key_transparency(tmp_path):
    path = tmp_path / "a.png"
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([0, 1])
    image.save(path, transparency=bytes([0, 128]))
    back = read_image(path)
    assert back.pixels.tolist() == [[[10, 20, 30], [40, 50, 60]]]
    assert back.alpha is not None and back.alpha.tolist() == [[[0], [128]]]

    key = struct.pack(">3H", 1, 2, 65535)
    row = b"\0" + struct.pack(">6H", 1, 2, 65535, 1, 2, 65534)
    path.write_bytes(png(2, 1, 16, 2, row, chunk(b"tRNS", key)))
    back = read_image(path)
    assert back.pixels.tolist() == [[[1, 2, 65535], [1, 2, 65534]]]
    assert back.alpha is not None and back.alpha.tolist() == [[[0], [65535]]]

    path.write_bytes(png(2, 1, 4, 0, b"\0\xf5", chunk(b"tRNS", struct.pack(">H", 15))))
    back = read_image(path)
    assert back.pixels.tolist() == [[[255], [85]]]
    assert back.alpha is not None and back.alpha.tolist() == [[[0], [255]]]


def test_returned_arrays_are_plain(tmp_path):
    write_image(tmp_path / "a.png", Picture(noise(4, 5, 3), noise(4, 5, 1)))
    picture = read_image(tmp_path / "a.png")
    for array in (picture.pixels, picture.alpha):
        assert array is not None and array.flags.writeable and array.flags.c_contiguous


# Errors


def refuses(function, path, *words):
    with pytest.raises(InputError) as caught:
        function(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize("function", [read_image, image_size])
def test_what_is_no_image(tmp_path, function):
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    refuses(function, tmp_path / "missing.png", "no such file")
    refuses(function, tmp_path, "folder")
    refuses(function, tmp_path / "text.png", "not a PNG")
    refuses(function, tmp_path / "empty.jpg", "not a PNG")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif", "a.bmp", "b.png", "b.tif"])
def test_truncated(tmp_path, name):
    path = tmp_path / name
    write_image(path, Picture(noise(40, 40, 3, np.uint16 if name[0] == "b" else np.uint8)))
    data = path.read_bytes()
    for length in (30, len(data) // 2):
        path.write_bytes(data[:length])
        refuses(read_image, path)


@pytest.mark.parametrize("function", [read_image, image_size])
def test_a_header_of_too_many_pixels(tmp_path, function):
    for depth in (8, 16):
        path = tmp_path / f"{depth}.png"
        path.write_bytes(png(20000, 20000, depth, 2, b"0"))
        refuses(function, path, str(MAX_PIXELS))
        path = tmp_path / f"{depth}.tif"
        dtype = f"uint{depth}"
        tifffile.imwrite(path, shape=(16, 16, 3), dtype=dtype, photometric="rgb")
        data = path.read_bytes()
        for tag in (256, 257):  # width and length, each a single LONG or SHORT
            for kind in (3, 4):
                entry = struct.pack("<HHI", tag, kind, 1)
                at = data.find(entry)
                if at >= 0:
                    data = data[:at] + struct.pack("<HHII", tag, 4, 1, 20000) + data[at + 12 :]
        path.write_bytes(data)
        refuses(function, path, str(MAX_PIXELS))


def test_large_but_allowed_does_not_warn(tmp_path, recwarn):
    path = tmp_path / "a.png"
    path.write_bytes(png(10000, 10000, 1, 0, b"0"))
    assert image_size(path) == (10000, 10000)
    assert not recwarn.list


def test_a_tiff_without_its_data(tmp_path, caplog):
    path = tmp_path / "a.tif"
    write_image(path, Picture(noise(8, 8, 3, np.uint16)))
    data = path.read_bytes()
    at = data.index(struct.pack("<HH", 273, 4))  # StripOffsets, made a tag that nobody knows
    path.write_bytes(data[:at] + struct.pack("<H", 272) + b"\xff\xff" + data[at + 4 :])
    refuses(read_image, path, "damaged")
    assert not caplog.records


def test_samples_of_other_depths(tmp_path):
    tifffile.imwrite(tmp_path / "f.tif", np.zeros((4, 4), np.float32))
    refuses(read_image, tmp_path / "f.tif", "float32")


def test_what_a_format_cannot_hold(tmp_path):
    deep, clear = Picture(noise(4, 4, 3, np.uint16)), Picture(noise(4, 4, 3), noise(4, 4, 1))
    for extension in (".jpg", ".jpeg", ".webp", ".bmp"):
        path = tmp_path / f"a{extension}"
        refuses(lambda p: write_image(p, deep), path, "16 bit", ".png")
    for extension in (".jpg", ".jpeg", ".bmp"):
        path = tmp_path / f"a{extension}"
        refuses(lambda p: write_image(p, clear), path, "transparency", ".png")
    wide = Picture(np.zeros((1, 16384, 3), np.uint8))
    refuses(lambda p: write_image(p, wide), tmp_path / "a.webp", "16384x1", "16383", ".png")
    refuses(lambda p: write_image(p, clear), tmp_path / "a.gif", "unknown", ".gif", ".png")
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_nothing_and_spoils_nothing(tmp_path, monkeypatch):
    picture = Picture(noise(4, 4, 3))
    refuses(lambda p: write_image(p, picture), tmp_path / "none" / "a.png", "cannot be written")
    (tmp_path / "b.png").mkdir()
    refuses(lambda p: write_image(p, picture), tmp_path / "b.png", "cannot be written")
    (tmp_path / "c.png").write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    refuses(lambda p: write_image(p, picture), tmp_path / "c.png", "No space left")
    assert (tmp_path / "c.png").read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.png", "c.png"]


def test_find_images(tmp_path):
    for name in ("img10.png", "img2.PNG", "img1.jpeg", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [p.name for p in find_images(tmp_path)] == ["img1.jpeg", "img2.PNG", "img10.png"]
    refuses(find_images, tmp_path / "none", "no such folder")
    refuses(find_images, tmp_path / "notes.txt", "not a folder")
    refuses(find_images, tmp_path / "folder.png", "no images")
