"""Downloading: a local mirror first, then each URL in turn, resumed where it stopped, checked by a checksum."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3
from tqdm import tqdm

from wgpipe import placed
from wgpipe.atomic import atomic
from wgpipe.errors import UserError

if TYPE_CHECKING:
    from wgpipe.data import Source

GZIP = b"\x1f\x8b"
PACKAGE = "package:"
BLOCK = 1 << 16
CONTENT_RANGE = re.compile(r"bytes (?:(?P<start>\d+)-\d+|\*)/(?P<total>\d+|\*)")


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server, in seconds, and how often to ask it."""

    connect: float = 10
    read: float = 30  # without a single byte
    attempts: int = 4
    pause: float = 1  # before the second attempt, doubled before each later one


class _FailedError(Exception):
    """Why one place did not give the file.

    `again`: asking once more may help. `useless`: what has been downloaded is worth nothing.
    """

    def __init__(self, reason: str, again: bool = False, useless: bool = False) -> None:
        super().__init__(reason)
        self.again = again
        self.useless = useless


class _Answer(NamedTuple):
    """Where the body of a response begins in the file, and how long the whole file is (None: not said)."""

    start: int
    total: int | None


def fetch(
    source: Source,
    folder: Path,
    mirror: Path | None,
    progress: bool = True,
    patience: Patience = Patience(),
    by_hand: Path | None = None,
) -> Path:
    """Write the content of a source to `folder / source.file`, atomically, and return that path.

    A file that is there with the right checksum stays, and with a wrong one goes. `https://HOST/PATH` is looked for at
    `mirror/HOST/PATH` (`~` is expanded) before anything is downloaded; `package:` URLs are files of installed packages;
    `placed:` URLs are in the folder `by_hand`, and get a link. Content that begins like gzip is uncompressed, unless
    its md5 is what is known. A download that is cut off leaves a `.part` file, which the next attempt or call
    continues. Of a source without checksum, a record of what is there is written. `progress`: a bar on stderr. Raises
    `UserError` with every place and its reason if none gives the right content.
    """
    target = folder / source.file
    if source.checksum is None:
        return placed.record(source.urls, source.page, by_hand, target)
    if target.is_file() and _digest(target, source) == source.checksum.value:
        return target
    target.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    reasons = []
    for place, deliver in _places(source, folder, mirror, progress, patience, by_hand):
        try:
            deliver()
        except _FailedError as error:
            reasons.append(f"{place}: {error}")
            continue
        for url in source.urls:
            _part(folder, source, url).unlink(missing_ok=True)
        return target
    raise UserError(f"{target} ({source.checksum}) could not be fetched: " + "; ".join(reasons) + ".")


def check(source: Source, file: Path) -> None:
    """That a fetched file is still what it was; `UserError` otherwise."""
    if source.checksum is None:
        placed.check(file)
    elif (found := _digest(file, source)) != source.checksum.value:
        raise UserError(f"{file}: {_wrong(source, found)}; delete it, and fetch it again.")


def _places(
    source: Source, folder: Path, mirror: Path | None, progress: bool, patience: Patience, by_hand: Path | None
) -> list[tuple[str, Callable[[], None]]]:
    """What to try, in order: a name for errors, and what brings the file from there or raises `_FailedError`."""
    remote = [url for url in source.urls if not url.startswith((PACKAGE, placed.PLACED))]
    mirrored = [] if mirror is None else [_mirrored(mirror, url) for url in remote]
    places: list[tuple[str, Callable[[], None]]] = [(str(f), partial(_unpack, f, source, folder)) for f in mirrored]
    for url in source.urls:
        if url.startswith(PACKAGE):
            places.append((url, partial(_copy_packaged, url, source, folder)))
        elif url.startswith(placed.PLACED):
            places.append((url, partial(_link_placed, url, source, folder, by_hand)))
        else:
            places.append((url, partial(_download, url, source, folder, progress, patience)))
    return places


def _mirrored(mirror: Path, url: str) -> Path:
    parts = urlsplit(url)
    return mirror.expanduser() / (parts.hostname or "") / parts.path.lstrip("/")


def _copy_packaged(url: str, source: Source, folder: Path) -> None:
    """Take `package:sklearn/datasets/data/x.csv.gz` from the installed package, without importing it."""
    package, _, path = url.removeprefix(PACKAGE).partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise _FailedError(f"package {package} is not installed")
    _unpack(Path(spec.submodule_search_locations[0]) / path, source, folder)


def _link_placed(url: str, source: Source, folder: Path, by_hand: Path | None) -> None:
    """Point to a file that a person has downloaded, if its checksum is right."""
    origin = placed.located(url, by_hand)
    if origin is None:
        raise _FailedError(placed.advice((url,), source.page, by_hand))
    found = _digest(origin, source)
    if source.checksum is None or found != source.checksum.value:
        raise _FailedError(_wrong(source, found))
    with atomic(folder / source.file) as link:
        link.symlink_to(origin)


def _part(folder: Path, source: Source, url: str) -> Path:
    """The unfinished download of a URL; each has its own, for compressed files may differ from server to server."""
    return folder / f"{source.file}.{hashlib.sha256(url.encode()).hexdigest()[:8]}.part"


def _unpack(origin: Path, source: Source, folder: Path) -> None:
    """Uncompress `origin` where needed, and put it in place if its checksum is right."""
    if not origin.is_file():
        raise _FailedError("is not there")
    temporary = folder / f"{source.file}.tmp"
    assert source.checksum is not None
    digest = hashlib.new(source.checksum.kind)
    try:
        with origin.open("rb") as raw:
            packed = raw.read(len(GZIP)) == GZIP and source.checksum.of_content
            raw.seek(0)
            with gzip.GzipFile(fileobj=raw) if packed else raw as content, temporary.open("wb") as copy:
                while block := content.read(BLOCK):
                    digest.update(block)
                    copy.write(block)
        if digest.hexdigest() != source.checksum.value:
            raise _FailedError(_wrong(source, digest.hexdigest()), useless=True)
        temporary.replace(folder / source.file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _FailedError(f"damaged gzip file ({error})", again=True, useless=True) from None
    finally:
        temporary.unlink(missing_ok=True)


def _download(url: str, source: Source, folder: Path, progress: bool, patience: Patience) -> None:
    """Download, resume, check. Wrong content is thrown away, and asked for once more if a part of it was older."""
    part = _part(folder, source, url)
    for attempt in range(patience.attempts):
        if attempt:
            time.sleep(patience.pause * 2 ** (attempt - 1))
        resumed = part.is_file()
        try:
            _transfer(url, part, source.file, progress, patience)
            _unpack(part, source, folder)
        except _FailedError as error:
            if error.useless:
                part.unlink()
            again = error.again or (error.useless and resumed)
            if not again or attempt + 1 == patience.attempts:
                raise
        else:
            return


def _transfer(url: str, part: Path, name: str, progress: bool, patience: Patience) -> None:
    """Bring `part` to the full length of what the URL gives, as it is on the wire."""
    have = part.stat().st_size if part.is_file() else 0
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=(patience.connect, patience.read)) as response:
            answer = _answer(response, have)
            if answer is None:
                return
            with (
                part.open("r+b" if answer.start else "wb") as file,
                tqdm(
                    desc=name,
                    total=answer.total,
                    initial=answer.start,
                    unit="B",
                    unit_scale=True,
                    disable=not progress,
                ) as bar,
            ):
                file.seek(answer.start)
                for block in response.raw.stream(BLOCK, decode_content=False):
                    bar.update(file.write(block))
                size = file.tell()
    except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
        raise _FailedError(_readable(error, patience), again=True) from None
    except requests.RequestException as error:
        raise _FailedError(str(error)) from None
    if answer.total is not None and size != answer.total:
        raise _FailedError(f"truncated, {size} of {answer.total} bytes", again=True)


def _answer(response: requests.Response, have: int) -> _Answer | None:
    """What a response to a request from byte `have` on holds; None: nothing is missing. Raises `_FailedError`."""
    status: int = response.status_code
    ranged = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if status == requests.codes.partial and ranged and ranged["start"] and int(ranged["start"]) == have:
        return _Answer(have, int(ranged["total"]) if ranged["total"] != "*" else None)
    if status == requests.codes.requested_range_not_satisfiable and ranged and ranged["total"] == str(have):
        return None
    if status == requests.codes.ok:
        length = response.headers.get("Content-Length", "")
        return _Answer(0, int(length) if length.isdigit() else None)
    if have and status in (requests.codes.partial, requests.codes.requested_range_not_satisfiable):
        raise _FailedError(f"the download could not be continued at byte {have}", useless=True)
    temporary = status >= 500 or status in (requests.codes.request_timeout, requests.codes.too_many_requests)
    raise _FailedError(f"HTTP status {status} {response.reason}", again=temporary)


def _readable(error: Exception, patience: Patience) -> str:
    """A network error in a few words."""
    text = str(error)
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {patience.connect:g} s"
    if isinstance(error, requests.ReadTimeout | urllib3.exceptions.ReadTimeoutError):
        return f"no data for {patience.read:g} s"
    if isinstance(error, urllib3.exceptions.IncompleteRead) or "IncompleteRead" in text:
        return "truncated, the connection was closed too early"
    return f"no connection ({text})"


def _digest(path: Path, source: Source) -> str:
    """Of a file as it lies there, by the kind of checksum that is known of the source."""
    assert source.checksum is not None
    with path.open("rb") as file:
        return hashlib.file_digest(file, source.checksum.kind).hexdigest()


def _wrong(source: Source, found: str) -> str:
    assert source.checksum is not None
    return f"{source.file} has the wrong {source.checksum.kind}, expected {source.checksum.value}, found {found}"
