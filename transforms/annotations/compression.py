"""Opens CSV files, compressed or not: gzip, and zip archives of one file. Their content tells which, not their name."""

from __future__ import annotations

import contextlib
import enum
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, cast

from maskmill.transforms.files.file_names import is_litter
from maskmill.transforms.files.read_write import open_read
from maskmill.transforms.text import SHOWN_CHARACTERS, printable

_READ_BYTES = 2**22
# Of the list of files in a zip archive, which is read at once: enough for tens of thousands of names.
_LONGEST_LIST = 2**22
_PIECE_BYTES = 2**16
# Usual and strong encryption.
_ENCRYPTED = 0x41
_SHOWN_MEMBERS = 5


class CsvFileError(OSError):
    """A CSV file is damaged, or is none; the message names it, and says what to do."""


class _OffsetError(OSError):
    """An archive names an offset before its beginning."""


class _NotReadError(Exception):
    """A zip archive is not read; the message says what it is and what to do."""


# What a damaged file makes the decompressors raise. zipfile raises also what the fields of an archive lead it to.
_DAMAGES = (
    EOFError,
    zlib.error,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    _OffsetError,
    NotImplementedError,
    ValueError,
)


class Compression(str, enum.Enum):
    """How a CSV file is compressed."""

    GZIP = "gzip"
    ZIP = "zip"


_FIRST_BYTES = {b"\x1f\x8b": Compression.GZIP, b"PK\x03\x04": Compression.ZIP, b"PK\x05\x06": Compression.ZIP}


def compression_of(head: bytes) -> Compression | None:
    """Returns how a file is compressed, as its first bytes say; None if it is not, or in a way that is not read."""
    return next((kind for start, kind in _FIRST_BYTES.items() if head.startswith(start)), None)


@contextlib.contextmanager
def open_csv(
    path: str, size: int, compression: Compression | None, request_bytes: int = _READ_BYTES
) -> Iterator[BinaryIO]:
    """Opens a CSV file, and decompresses it.

    Args:
        path: of the file.
        size: in bytes, as stored.
        compression: of the file.
        request_bytes: number of bytes that one request to an object store reads, unless the file is compressed.

    Raises:
        CsvFileError: a compressed file is damaged, or is a zip archive that is not read.
        OSError: the file cannot be read.
    """
    with open_read(path, _READ_BYTES if compression else request_bytes) as file:
        if compression is None:
            yield file
            return
        try:
            # Not with Beam, which silently accepts a truncated file.
            with gzip.GzipFile(fileobj=file) if compression is Compression.GZIP else _open_zip(file, size) as stream:
                yield cast(BinaryIO, stream)
        except _NotReadError as error:
            raise CsvFileError(f"{path}: {error}") from error
        except _DAMAGES as error:
            problem = f"{path}: the compressed file is damaged ({error})"
            raise CsvFileError(f"{problem}; copy it again from its source") from error


@contextlib.contextmanager
def _open_zip(file: BinaryIO, size: int) -> Iterator[io.BufferedReader]:
    with (
        zipfile.ZipFile(cast(BinaryIO, _SizedFile(file, size))) as archive,
        archive.open(_only_member(archive.infolist())) as member,
    ):
        yield io.BufferedReader(cast(io.RawIOBase, member), _PIECE_BYTES)


def _only_member(members: Sequence[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """Returns the only file of a zip archive, without folders and what systems leave behind."""
    names = {member.filename for member in members}
    if document := _document(names):
        raise _NotReadError(f"is {document}, not a CSV file; open it and save the table as CSV (UTF-8)")
    files = [member for member in members if not _is_beside_data(member.filename)]
    if len(files) != 1:
        shown = ", ".join(printable(one.filename[:SHOWN_CHARACTERS]) for one in files[:_SHOWN_MEMBERS])
        more = ", …" if len(files) > _SHOWN_MEMBERS else ""
        found = f"{len(files)} files ({shown}{more})" if files else "no file"
        raise _NotReadError(f"is a zip archive of {found}, and only one can be read; unpack it, and name the CSV file")
    [file] = files
    if file.flag_bits & _ENCRYPTED:
        raise _NotReadError("is an encrypted zip archive; unpack it with its password")
    # The other methods cannot be decompressed in pieces of bounded size.
    if file.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = zipfile.compressor_names.get(file.compress_type, file.compress_type)  # type: ignore[attr-defined]
        raise _NotReadError(f"is a zip archive that is compressed in an unusual way ({method}); unpack it")
    return file


def _document(names: set[str]) -> str | None:
    """Returns which document of an office program a zip archive is, None if it is none."""
    if "[Content_Types].xml" in names:
        is_workbook = any(name.startswith("xl/") for name in names)
        return "an Excel workbook (.xlsx)" if is_workbook else "an Office document"
    if "mimetype" in names and "content.xml" in names:
        return "an OpenDocument file, such as a spreadsheet of LibreOffice (.ods)"
    return "a document of Apple Numbers" if any(name.endswith(".iwa") for name in names) else None


def _is_beside_data(name: str) -> bool:
    *folders, last = name.split("/")
    return not last or is_litter(last) or "__MACOSX" in folders


class _SizedFile(io.RawIOBase):
    """Makes a file seekable from its end, as zipfile needs it; an object of a store is not.

    Args:
        file: is seekable from its start.
        size: in bytes.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__()
        self._file = file
        self._size = size

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to an offset."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise _OffsetError("an offset is before the beginning of the file")
        return self._file.seek(start + offset)

    def tell(self) -> int:
        """Returns the offset."""
        return self._file.tell()

    def read(self, size: int | None = -1) -> Any:
        """Reads so many bytes, or to the end of the file."""
        wanted = self._size - self.tell() if size is None or size < 0 else size
        if wanted > _LONGEST_LIST:
            raise _NotReadError("is a zip archive of very many files; unpack it, and name the CSV file")
        return self._file.read(wanted)
