"""Which file holds which method, constraint, net, dataset, metric, extractor or study.

A piece is a class decorated with `@register("<name>")` in the folder of its kind. The map from names to files is read
from the syntax of those files, so listing imports nothing, and a fingerprint can follow exactly the files that a block
uses. A user's own file is added by the config (`methods: {mine: ./mine.py}`) or by a `wgpipe.methods` entry point.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from wgpipe.errors import UserError, suggestion

PACKAGE = Path(__file__).parent
FOLDERS = {
    "method": "methods",
    "constraint": "methods/constraints",
    "net": "nets",
    "dataset": "data",
    "metric": "metrics",
    "extractor": "extractors",
    "study": "studies",
}

_classes: dict[tuple[str, str], type] = {}
_own_files: dict[tuple[str, str], Path] = {}
_untrusted: set[Path] = set()  # own files of results from elsewhere: they are read, and never run


def register(name: str, cites: tuple[str, ...] = ()) -> Callable[[type], type]:
    """Class decorator: `@register("wgan", cites=("arjovsky2017",))`. The kind is that of the class (`cls.kind`)."""

    def add(cls: Any) -> type:
        cls.registered_name = name
        cls.cites = cites
        _classes[cls.kind, name] = cls
        return cls  # type: ignore[no-any-return]

    return add


def add_files(kind: str, files: dict[str, str | Path], trusted: bool = True) -> None:
    """Make a user's own files known: new name -> path of a .py file that registers it.

    Those that are not `trusted` can be listed and have fingerprints, but to load them is a `UserError`.
    """
    for name, file in files.items():
        path = Path(file).expanduser().resolve()
        if not path.is_file():
            raise UserError(f"{kind}s: '{name}' points to {file}, which is not a file.")
        if name in package_files(kind):
            raise UserError(f"{kind}s: '{name}' is a {kind} of wgpipe itself; register {file} under another name.")
        found = registered_names(path)
        if name not in found:
            raise UserError(f"{kind}s: {file} does not register '{name}'{suggestion(name, found)}")
        if _own_files.get((kind, name)) != path:
            _classes.pop((kind, name), None)
        _own_files[kind, name] = path
        _untrusted.discard(path) if trusted else _untrusted.add(path)


def registered_names(file: Path) -> list[str]:
    """Names that a file registers, read from its decorators without running it."""
    return [name for node in ast.walk(_syntax(file)) if isinstance(node, ast.ClassDef) for name in _names_of(node)]


def files(kind: str) -> dict[str, Path]:
    """Every known name of a kind and its file, sorted by name."""
    return dict(sorted({**package_files(kind), **_entry_point_files(kind), **_own(kind)}.items()))


def file_of(kind: str, name: str) -> Path:
    """The file that holds a piece; a `UserError` with a suggestion if there is none."""
    known = files(kind)
    if name not in known:
        raise UserError(f"{kind} '{name}' is unknown{suggestion(name, known)}")
    return known[name]


def first_line(name: str, file: Path) -> str:
    """First line of the docstring of a registered class, without importing it."""
    for node in ast.walk(_syntax(file)):
        if isinstance(node, ast.ClassDef) and name in _names_of(node):
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


def load(kind: str, name: str) -> Any:
    """Import the file of a piece and return its class."""
    file = file_of(kind, name)
    if file in _untrusted:
        _classes.pop((kind, name), None)
    if (kind, name) not in _classes:
        _import(file)
    if (kind, name) not in _classes:
        raise UserError(f"{file} registers '{name}', but not as a {kind}.")
    return _classes[kind, name]


def module_of(file: Path) -> str:
    """Dotted module name of a file inside the package: `wgpipe/nets/mlp.py` -> `wgpipe.nets.mlp`."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _names_of(node: ast.ClassDef) -> list[str]:
    names = []
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(
                func=ast.Name(id="register") | ast.Attribute(attr="register"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                names.append(name)
    return names


def _import(file: Path) -> None:
    if file.is_relative_to(PACKAGE):
        importlib.import_module(module_of(file))
        return
    if file in _untrusted:
        raise UserError(f"{file} came with results from elsewhere, so its code is not run without --trust.")
    name = f"wgpipe_user_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UserError(f"{file} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"{file} cannot be imported: {type(error).__name__}: {error}.") from error


def _own(kind: str) -> dict[str, Path]:
    return {name: path for (its_kind, name), path in _own_files.items() if its_kind == kind}


@functools.cache
def package_files(kind: str) -> dict[str, Path]:
    """Pieces of a kind that the package brings: name -> file."""
    found = sorted((PACKAGE / FOLDERS[kind]).glob("*.py"))
    return {name: file for file in found for name in registered_names(file)}


@functools.cache
def _entry_point_files(kind: str) -> dict[str, Path]:
    known = {}
    for point in entry_points(group=f"wgpipe.{kind}s"):
        spec = importlib.util.find_spec(point.module)
        if spec is not None and spec.origin is not None:
            known[point.name] = Path(spec.origin)
    return known


@functools.cache
def _syntax(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise UserError(f"{file}, line {error.lineno}: {error.msg}.") from error
    except ValueError as error:
        raise UserError(f"{file} is not Python source: {error}.") from error
