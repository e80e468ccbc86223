"""Reading .npz files whose large arrays stay on disk: they are mapped, and pages come as they are used."""

from __future__ import annotations

import zipfile
from pathlib import Path
from tokenize import TokenError

import numpy as np

LARGE = 1 << 26  # bytes
LOCAL_HEADER = 30  # bytes, of a member of a zip file, before its name
LENGTHS = slice(26, 30)  # of the name and of an extra field, in this header


def read(path: Path) -> dict[str, np.ndarray]:
    """Arrays of an uncompressed .npz file; those of `LARGE` bytes or more are mapped and read-only.

    Raises what `numpy.load` does for a file that is damaged.
    """
    with np.load(path, allow_pickle=False) as file:
        members = {info.filename.removesuffix(".npy"): info for info in file.zip.infolist()}
        return {name: _mapped(path, members[name]) if _is_large(members[name]) else file[name] for name in file.files}


def _is_large(member: zipfile.ZipInfo) -> bool:
    return member.compress_type == zipfile.ZIP_STORED and member.file_size >= LARGE


def _mapped(path: Path, member: zipfile.ZipInfo) -> np.ndarray:
    with path.open("rb") as file:
        file.seek(member.header_offset)
        lengths = np.frombuffer(file.read(LOCAL_HEADER)[LENGTHS], dtype="<u2")
        file.seek(member.header_offset + LOCAL_HEADER + int(lengths.sum()))
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        try:
            shape, fortran, dtype = header(file)
        except (SyntaxError, TokenError) as error:
            raise ValueError(f"the header of {member.filename} is damaged: {error}") from None
        if dtype.hasobject:
            raise ValueError(f"{member.filename} holds Python objects")
        array: np.ndarray = np.memmap(path, dtype, "r", file.tell(), shape, "F" if fortran else "C").view(np.ndarray)
        return array
