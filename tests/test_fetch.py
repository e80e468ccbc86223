"""Downloads against a real HTTP server on this machine that misbehaves as asked."""

from __future__ import annotations

import gzip
import hashlib
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import pytest

from wgpipe import fetch as module
from wgpipe import rng
from wgpipe.data import Source
from wgpipe.errors import UserError
from wgpipe.fetch import Patience, check, fetch

CONTENT = rng.stream("content").bytes(400_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PACKED = gzip.compress(CONTENT, mtime=0)
CUT = 150_000
QUICK = Patience(connect=2, read=0.3, attempts=3, pause=0.01)

Flaw = Literal["", "cut", "stall", "unavailable", "wrong range"]


@dataclass
class Resource:
    """What a path of the server gives; `flaws` has one entry for each of the first requests."""

    body: bytes = CONTENT
    ranges: bool = True
    status: int = 200
    location: str = ""
    length: bool = True
    flaws: list[Flaw] = field(default_factory=list)


class Server:
    """A server on 127.0.0.1 with its resources by path and a list of the requests that it got."""

    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}
        self.requests: list[tuple[str, str]] = []  # path, Range header
        self.closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None: ...

            def do_GET(self) -> None:
                server.requests.append((self.path, self.headers.get("Range", "")))
                server.answer(self, server.resources.get(self.path, Resource(status=404, body=b"not here")))

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}{path}"

    def answer(self, handler: BaseHTTPRequestHandler, resource: Resource) -> None:
        flaw = resource.flaws.pop(0) if resource.flaws else ""
        asked = handler.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and resource.ranges else 0
        total = len(resource.body)
        status = 503 if flaw == "unavailable" else resource.status
        if status == 200 and start:
            status = 206 if start < total else 416
        body = resource.body[start:]
        handler.send_response(status)
        if resource.location:
            handler.send_header("Location", resource.location)
        if status == 206:
            begin = start + 1 if flaw == "wrong range" else start
            handler.send_header("Content-Range", f"bytes {begin}-{total - 1}/{total}")
        if status == 416:
            handler.send_header("Content-Range", f"bytes */{total}")
        if resource.length:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:CUT] if flaw in ("cut", "stall") else body)
        if flaw == "stall":
            self.closing.wait(5)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    one = Server()
    one.thread.start()
    yield one
    one.closing.set()
    one.http.shutdown()
    one.thread.join()
    one.http.server_close()


def get(folder: Path, *urls: str, mirror: Path | None = None) -> Path:
    return fetch(Source("data.bin", urls, SHA256), folder, mirror, progress=False, patience=QUICK)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("path", "body"), [("/x.bin", CONTENT), ("/x.gz", PACKED), ("/unpacked-by-server.gz", CONTENT)]
)
def test_a_file_comes_uncompressed_and_alone(server: Server, tmp_path: Path, path: str, body: bytes) -> None:
    server.resources[path] = Resource(body)
    assert get(tmp_path / "new" / "folder", server.url(path)) == tmp_path / "new" / "folder" / "data.bin"
    assert (tmp_path / "new" / "folder" / "data.bin").read_bytes() == CONTENT
    assert names(tmp_path / "new" / "folder") == ["data.bin"]


def test_what_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(CONTENT)
    get(tmp_path, server.url("/x"))
    assert server.requests == []


def test_wrong_content_that_is_there_is_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"old")
    server.resources["/x"] = Resource()
    assert get(tmp_path, server.url("/x")).read_bytes() == CONTENT


def test_redirects_are_followed(server: Server, tmp_path: Path) -> None:
    server.resources["/old"] = Resource(b"", status=302, location="/new")
    server.resources["/new"] = Resource()
    assert get(tmp_path, server.url("/old")).read_bytes() == CONTENT


@pytest.mark.parametrize("body", [CONTENT, PACKED])
@pytest.mark.parametrize("flaw", ["cut", "stall"])
def test_a_transfer_that_breaks_off_is_continued(server: Server, tmp_path: Path, flaw: Flaw, body: bytes) -> None:
    server.resources["/x"] = Resource(body, flaws=[flaw])
    assert get(tmp_path, server.url("/x")).read_bytes() == CONTENT
    (_, first), (_, second) = server.requests
    assert first == ""
    assert 0 < int(second.removeprefix("bytes=").rstrip("-")) <= CUT
    assert names(tmp_path) == ["data.bin"]


def test_it_starts_anew_where_the_server_knows_no_ranges(server: Server, tmp_path: Path) -> None:
    server.resources["/x"] = Resource(ranges=False, flaws=["cut"])
    assert get(tmp_path, server.url("/x")).read_bytes() == CONTENT
    assert [bool(asked) for _, asked in server.requests] == [False, True]


def test_it_starts_anew_where_the_server_continues_at_another_byte(server: Server, tmp_path: Path) -> None:
    server.resources["/x"] = Resource(flaws=["cut", "wrong range"])
    assert get(tmp_path, server.url("/x")).read_bytes() == CONTENT
    assert [bool(asked) for _, asked in server.requests] == [False, True, False]


def test_a_call_continues_what_an_earlier_call_left(server: Server, tmp_path: Path) -> None:
    server.resources["/x"] = Resource(flaws=["cut", "unavailable", "unavailable"])
    with pytest.raises(UserError, match="HTTP status 503"):
        get(tmp_path, server.url("/x"))
    [part] = tmp_path.iterdir()
    have = part.stat().st_size
    assert part.suffix == ".part"
    assert part.read_bytes() == CONTENT[:have]
    server.requests.clear()
    assert get(tmp_path, server.url("/x")).read_bytes() == CONTENT
    assert server.requests == [("/x", f"bytes={have}-")]
    assert names(tmp_path) == ["data.bin"]


@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT), len(CONTENT) + 1])
def test_an_older_part_of_something_else_does_no_harm(server: Server, tmp_path: Path, size: int) -> None:
    server.resources["/x"] = Resource(flaws=["cut", "unavailable", "unavailable"])
    with pytest.raises(UserError):
        get(tmp_path, server.url("/x"))
    [part] = tmp_path.iterdir()
    part.write_bytes(bytes(size))
    assert get(tmp_path, server.url("/x")).read_bytes() == CONTENT
    assert names(tmp_path) == ["data.bin"]


def test_a_complete_part_needs_no_second_transfer(server: Server, tmp_path: Path) -> None:
    url = server.url("/x")
    server.resources["/x"] = Resource()
    module._part(tmp_path, Source("data.bin", (url,), SHA256), url).write_bytes(CONTENT)
    assert get(tmp_path, url).read_bytes() == CONTENT
    assert server.requests == [("/x", f"bytes={len(CONTENT)}-")]


def test_a_wrong_checksum_names_file_expected_and_found_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.resources["/x"] = Resource(b"wrong")
    found = hashlib.sha256(b"wrong").hexdigest()
    with pytest.raises(UserError, match=rf"data\.bin has the wrong sha256, expected {SHA256}, found {found}"):
        get(tmp_path, server.url("/x"))
    assert names(tmp_path) == []
    assert len(server.requests) == 1


def test_a_wrong_file_that_was_there_does_not_stay(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"old")
    with pytest.raises(UserError, match="HTTP status 404"):
        get(tmp_path, server.url("/x"))
    assert names(tmp_path) == []


@pytest.mark.parametrize("body", [PACKED[:CUT], PACKED[:1000] + bytes(1000) + PACKED[2000:]])
def test_a_gzip_file_that_is_damaged_on_the_server_is_refused(server: Server, tmp_path: Path, body: bytes) -> None:
    server.resources["/x.gz"] = Resource(body)
    with pytest.raises(UserError, match=r"damaged gzip file|wrong sha256"):
        get(tmp_path, server.url("/x.gz"))
    assert names(tmp_path) == []


def test_a_truncated_gzip_file_of_unsaid_length_is_asked_for_again(server: Server, tmp_path: Path) -> None:
    server.resources["/x.gz"] = Resource(PACKED, length=False, flaws=["cut"])
    assert get(tmp_path, server.url("/x.gz")).read_bytes() == CONTENT


def test_the_second_url_serves_when_the_first_does_not(server: Server, tmp_path: Path) -> None:
    server.resources["/wrong"] = Resource(zlib.compress(CONTENT))
    server.resources["/cut"] = Resource(ranges=False, flaws=["cut"] * 3)
    server.resources["/good"] = Resource()
    urls = [server.url(path) for path in ("/none", "/wrong", "/cut", "/good")]
    assert get(tmp_path, *urls).read_bytes() == CONTENT
    assert names(tmp_path) == ["data.bin"]


def test_if_all_fail_each_url_is_listed_with_its_reason(server: Server, tmp_path: Path) -> None:
    server.resources["/wrong"] = Resource(b"wrong")
    server.resources["/cut"] = Resource(ranges=False, flaws=["cut"] * 3)
    server.resources["/stall"] = Resource(ranges=False, flaws=["stall"] * 3)
    server.resources["/busy"] = Resource(flaws=["unavailable"] * 3)
    server.resources["/loop"] = Resource(b"", status=302, location="/loop")
    mirror = tmp_path / "mirror"
    reasons = {
        server.url("/none"): "HTTP status 404 Not Found",
        server.url("/wrong"): f"data.bin has the wrong sha256, expected {SHA256}",
        server.url("/cut"): "truncated",
        server.url("/stall"): "no data for 0.3 s",
        server.url("/busy"): "HTTP status 503 Service Unavailable",
        server.url("/loop"): "Exceeded 30 redirects.",
        "http://127.0.0.1:9/x": "no connection",
        "package:no_such_package/x": "package no_such_package is not installed",
        "package:wgpipe/no_such_file": "is not there",
        "htp://typo/x": "No connection adapters were found",
        str(mirror / "typo" / "x"): "is not there",
    }
    with pytest.raises(UserError) as caught:
        get(tmp_path, *[place for place in reasons if ":" in place], mirror=mirror)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'data.bin'} (sha256 {SHA256}) could not be fetched: ")
    assert "\n" not in message
    for place, reason in reasons.items():
        assert f"{place}: {reason}" in message
    asked = [path for path, _ in server.requests]
    assert [asked.count(path) for path in ("/none", "/wrong", "/cut", "/stall", "/busy")] == [1, 1, 3, 3, 3]


@pytest.mark.parametrize("body", [CONTENT, PACKED])
def test_the_mirror_comes_first(server: Server, tmp_path: Path, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "home" / "mirror" / "127.0.0.1" / "folder" / "x.gz"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(body)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    path = get(tmp_path / "data", server.url("/folder/x.gz"), mirror=Path("~/mirror"))
    assert path.read_bytes() == CONTENT
    assert copy.read_bytes() == body
    assert server.requests == []


def test_a_wrong_copy_in_the_mirror_is_passed_over_and_kept(server: Server, tmp_path: Path) -> None:
    copy = tmp_path / "mirror" / "127.0.0.1" / "x"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"wrong")
    server.resources["/x"] = Resource()
    assert get(tmp_path / "data", server.url("/x"), mirror=tmp_path / "mirror").read_bytes() == CONTENT
    assert copy.read_bytes() == b"wrong"


def test_a_file_of_an_installed_package_needs_no_network(tmp_path: Path) -> None:
    expected = Path(module.__file__).with_name("py.typed")
    source = Source("typed", ("package:wgpipe/py.typed",), hashlib.sha256(expected.read_bytes()).hexdigest())
    assert fetch(source, tmp_path, mirror=tmp_path, progress=False).read_bytes() == expected.read_bytes()


def test_a_file_known_by_its_md5_stays_as_it_is_published(server: Server, tmp_path: Path) -> None:
    server.resources["/wrong"] = Resource(CONTENT)
    server.resources["/x.gz"] = Resource(PACKED, flaws=["cut"])
    md5 = hashlib.md5(PACKED).hexdigest()
    source = Source("data.gz", (server.url("/wrong"), server.url("/x.gz")), md5=md5)
    for _ in range(2):
        assert fetch(source, tmp_path, None, progress=False, patience=QUICK).read_bytes() == PACKED
    assert [path for path, _ in server.requests] == ["/wrong", "/x.gz", "/x.gz"]
    with pytest.raises(UserError, match=rf"\(md5 {md5}\) could not be .*wrong md5, expected {md5}, found \w{{32}}\.$"):
        fetch(replace(source, urls=source.urls[:1]), tmp_path / "new", None, progress=False, patience=QUICK)
    assert names(tmp_path / "new") == []


def test_a_placed_file_is_pointed_to_if_it_is_the_right_one(tmp_path: Path) -> None:
    by_hand = tmp_path / "by hand"
    by_hand.mkdir()
    source = Source("x.zip", ("placed:x.zip",), md5=hashlib.md5(CONTENT).hexdigest(), page="https://example.org/x")
    with pytest.raises(UserError, match=r"placed:x\.zip: not there; download x\.zip by hand, from https://example"):
        fetch(source, tmp_path, tmp_path / "mirror", by_hand=by_hand)
    (by_hand / "x.zip").write_bytes(b"wrong")
    with pytest.raises(UserError, match=r"placed:x\.zip: x\.zip has the wrong md5"):
        fetch(source, tmp_path, None, by_hand=by_hand)
    assert names(tmp_path) == ["by hand"]
    (by_hand / "x.zip").write_bytes(CONTENT)
    assert fetch(source, tmp_path, None, by_hand=by_hand).resolve() == by_hand / "x.zip"
    assert fetch(source, tmp_path, None).read_bytes() == CONTENT
    (by_hand / "x.zip").write_bytes(b"wrong")
    with pytest.raises(UserError, match="wrong md5"):
        fetch(source, tmp_path, None, by_hand=by_hand)
    assert (by_hand / "x.zip").read_bytes() == b"wrong"


def test_a_fetched_file_that_has_changed_is_noticed(tmp_path: Path) -> None:
    source = Source("data.bin", (), SHA256)
    (tmp_path / "data.bin").write_bytes(CONTENT)
    check(source, tmp_path / "data.bin")
    (tmp_path / "data.bin").write_bytes(CONTENT + b"x")
    with pytest.raises(UserError, match=r"data\.bin has the wrong sha256, expected .*; delete it, and fetch it again"):
        check(source, tmp_path / "data.bin")


def test_progress_is_drawn_on_stderr_where_it_is_asked_for(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.resources["/x"] = Resource()
    source = Source("data.bin", (server.url("/x"),), SHA256)
    fetch(source, tmp_path / "silent", None, progress=False)
    assert capsys.readouterr() == ("", "")
    fetch(source, tmp_path / "loud", None)
    out, err = capsys.readouterr()
    assert out == ""
    assert "data.bin: 100%" in err
