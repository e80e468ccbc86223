"""Fingerprints of code by content: what a result depends on, so that it is made again when that changes, and only then.

A fingerprint covers the modules that an entry imports, directly or through others, and the versions of named
distributions. What has no influence on a run is left out: comments, formatting, docstrings and other bare strings,
blocks under `if TYPE_CHECKING`, and `__version__`. Imports are read from the syntax and nothing is imported, so what is
loaded by name (registered pieces) is no part of a closure: pass its file as another entry.

Python's minor version is part of a fingerprint, because `ast.dump` may write the same code differently
in another.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from wgpipe.errors import UserError, suggestion

PACKAGE = Path(__file__).resolve().parents[1]
LENGTH = 16
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


class Module(NamedTuple):
    """What a fingerprint takes from a file."""

    digest: str  # of its name and syntax
    imports: frozenset[str]  # dotted names that may be modules, each with its parents


def fingerprint(entries: Iterable[Path | str], versions: Iterable[str] = (), package: Path = PACKAGE) -> str:
    """Hash (16 hex digits) of the code that entries reach and of the versions of installed distributions.

    An entry is a file, inside or outside the package, or a dotted module name such as `wgpipe.train.block`. Of a file
    outside, imports of the package are followed and imports of its neighbours are not. Local version labels (`+cpu`) do
    not count. Raises `UserError` for an entry that does not exist or is not Python, and for a missing distribution.
    """
    code = sorted(file_hashes(entries, package).values())
    installed = sorted((name, _version(name)) for name in versions)
    return _hash(json.dumps([sys.version_info[:2], code, installed]))


def closure(entries: Iterable[Path | str], package: Path = PACKAGE) -> tuple[Path, ...]:
    """Files that entries reach by imports, themselves and the `__init__.py` of their packages included, sorted."""
    return tuple(file_hashes(entries, package))


def file_hashes(entries: Iterable[Path | str], package: Path = PACKAGE) -> dict[Path, str]:
    """Each file of the closure, sorted, to the hash of its name and code: two answers show which file has changed."""
    package = package.resolve()
    files, names = _modules(package)
    waiting = [_file(entry, package) for entry in entries]
    found: dict[Path, str] = {}
    while waiting:
        file = waiting.pop()
        if file not in found:
            module = _read(file, names.get(file))
            found[file] = module.digest
            waiting += [files[name] for name in module.imports if name in files]
    return dict(sorted(found.items()))


def _file(entry: Path | str, package: Path) -> Path:
    if isinstance(entry, Path):
        file = entry.expanduser().resolve()
        if not file.is_file():
            raise UserError(f"{entry} is not a file, so its code has no fingerprint.")
        return file
    files, _ = _modules(package)
    if entry not in files:
        raise UserError(f"module '{entry}' is unknown{suggestion(entry, files)}")
    return files[entry]


@functools.cache
def _modules(package: Path) -> tuple[dict[str, Path], dict[Path, str]]:
    """Dotted names of a package's modules to their files, and back; listed once a process."""
    files = {}
    for file in package.rglob("*.py"):
        parts = file.relative_to(package.parent).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return files, {file: name for name, file in files.items()}


def _read(file: Path, name: str | None) -> Module:
    state = file.stat()
    return _parse(file, name, state.st_mtime_ns, state.st_size)


@functools.cache
def _parse(file: Path, name: str | None, _mtime_ns: int, _size: int) -> Module:
    """The module in a file; a changed time or size reads it again. `name` is None outside the package."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{file} is not valid Python: {error}.") from error
    home = "" if name is None else name if file.name == "__init__.py" else name.rpartition(".")[0]
    imported = {home} | {target for node in _strip(tree) for target in _targets(node, home)}
    dotted = frozenset(parent for target in imported for parent in _with_parents(target))
    return Module(_hash(json.dumps([name or file.name, ast.dump(tree)])), dotted)


def _strip(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Take out, in place, the statements that have no influence; the imports that are left."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    if isinstance(node, ast.If) and _is_type_checking(node.test):
        node.body = []
    for block in BLOCKS:
        if hasattr(node, block):
            kept = [child for child in getattr(node, block) if not _is_inert(child)]
            setattr(node, block, kept)
            for child in kept:
                yield from _strip(child)


def _is_type_checking(test: ast.expr) -> bool:
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
    return False


def _is_inert(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=str())) | ast.Assign(targets=[ast.Name(id="__version__")]):
            return True
        case ast.If(test=test, orelse=[]):
            return _is_type_checking(test)
    return False


def _targets(node: ast.Import | ast.ImportFrom, home: str) -> Iterator[str]:
    """Dotted names that an import may load, in a module of the package `home` ("": outside, no relative ones)."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    above = home.split(".")[: 1 - node.level or None] if node.level else []
    base = ".".join([*above, node.module] if node.module else above)
    yield base
    yield from (f"{base}.{alias.name}" for alias in node.names)


def _with_parents(dotted: str) -> Iterator[str]:
    """`a.b.c` -> a, a.b, a.b.c: importing a module runs its packages first."""
    parts = dotted.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))


@functools.cache
def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution).partition("+")[0]
    except metadata.PackageNotFoundError as error:
        raise UserError(f"'{distribution}' is not installed, and a fingerprint needs its version.") from error


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]
