"""Pixels to the bytes of a file: 8 bits by Pillow, 16-bit PNG by imagecodecs, TIFF by tifffile."""

import io
import struct
import zlib

import numpy as np


def encode(
    extension: str, pixels: np.ndarray, alpha: np.ndarray | None, icc: bytes | None
) -> bytes:
    """The file of a picture, in a format that can hold it.

    Args:
      extension: lower case, with the dot.
      pixels: [H, W, 1 or 3] uint8 or uint16.
      alpha: [H, W, 1] of the same dtype, or None.
      icc: the colour profile, or None.
    """
    samples = pixels if alpha is None else np.concatenate([pixels, alpha], axis=-1)
    samples = np.ascontiguousarray(samples[..., 0] if samples.shape[-1] == 1 else samples)
    if extension in (".tif", ".tiff"):
        return _tiff(samples, pixels.shape[-1], icc)
    if samples.dtype == np.uint16:
        return _png16(samples, icc)
    return _pillow(extension, samples, icc)


def _tiff(samples: np.ndarray, colours: int, icc: bytes | None) -> bytes:
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        samples,
        photometric="rgb" if colours == 3 else "minisblack",
        planarconfig="contig" if samples.ndim == 3 else None,
        extrasamples=["unassalpha"] if samples.shape[2:] in ((2,), (4,)) else None,
        compression="zlib",
        predictor=True,
        iccprofile=icc,
        metadata=None,
    )
    return buffer.getvalue()


def _png16(samples: np.ndarray, icc: bytes | None) -> bytes:
    import imagecodecs

    data = bytes(imagecodecs.png_encode(samples))
    if icc is None:
        return data
    body = b"iCCP" + b"ICC Profile\0\0" + zlib.compress(icc)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    after_header = 8 + 4 + 4 + 13 + 4  # signature; IHDR: length, name, 13 bytes, checksum
    return data[:after_header] + chunk + data[after_header:]


def _pillow(extension: str, samples: np.ndarray, icc: bytes | None) -> bytes:
    from PIL import Image

    options: dict[str, dict] = {
        ".png": {"format": "PNG"},
        ".bmp": {"format": "BMP"},
        # exact: keep the colour of transparent pixels
        ".webp": {"format": "WEBP", "lossless": True, "exact": True},
        ".jpg": {"format": "JPEG", "quality": 95, "subsampling": "4:4:4"},
    }
    options[".jpeg"] = options[".jpg"]
    buffer = io.BytesIO()
    Image.fromarray(samples).save(buffer, icc_profile=icc, **options[extension])
    return buffer.getvalue()
