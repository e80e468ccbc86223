"""The page of all methods, constraints and networks, written from the registry, the studies and reference results."""

from __future__ import annotations

import csv
import inspect
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wgpipe import citations, registry
from wgpipe.atomic import atomic
from wgpipe.errors import UserError
from wgpipe.manual import CONFIG, default_of, type_of
from wgpipe.methods import Adversarial, Control, TransportMap
from wgpipe.settings import merge, read_yaml

PAGE = Path("docs/methods.md")
STANDINGS = "results/reference/{scale}/studies/ground_truth/summary.csv"
INTRODUCTION = """\
# Methods

Written by `wgpipe list methods --docs` from the classes that are registered. A recipe joins a method with networks and,
if it has a critic, with a constraint; `config/README.md` says how, and [own-method.md](own-method.md) how to add one.
Formulas are plain text: X is real, Y or G(Z) generated, |·| the Euclidean or Frobenius norm, E the mean over a batch.
"""
ACCENTS = {"'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303"}
FIELD = r"^  {} = \{{(.*?)\}},$"


def write_page() -> Path:
    """Write the page below the current folder; `UserError` if that is not the project's root."""
    if not CONFIG.is_dir():
        raise UserError(f"{CONFIG} is not a folder here; accepted: the root of a checkout of wgpipe as current folder.")
    text = page(Path())
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    with atomic(PAGE) as path:
        path.write_text(text, encoding="utf-8")
    return PAGE


def page(root: Path) -> str:
    """The page for the package's own pieces, with the studies and reference results of a checkout."""
    used, ranked = recipes(root / CONFIG / "studies"), standings(root)
    sections = []
    for title, pieces in _groups().items():
        rows = [f"| [{name}](#{kind}-{name}) | {_cell(cls)} | {_years(cls)} |" for kind, name, cls in pieces]
        table = "\n".join(["| name | objective | source |", "|---|---|---|", *rows])
        entries = [_entry(kind, name, cls, used.get((kind, name), {}), ranked) for kind, name, cls in pieces]
        sections.append("\n\n".join([f"## {title}", table, *entries]))
    return "\n\n".join([INTRODUCTION.rstrip(), *sections]) + "\n"


def recipes(folder: Path) -> dict[tuple[str, str], dict[str, list[str]]]:
    """(kind, name) of a piece -> study -> its recipes with that piece, from the YAML files in a folder."""
    used: dict[tuple[str, str], dict[str, list[str]]] = {}
    for file in sorted(folder.glob("*.yaml")):
        study = read_yaml(file)
        every = {name: {"method": {"name": name}} for name in study.get("controls", [])}
        every |= {name: merge(study.get("defaults", {}), recipe) for name, recipe in study["recipes"].items()}
        for name, recipe in every.items():
            for role, kind in (
                ("method", "method"),
                ("constraint", "constraint"),
                ("generator", "net"),
                ("critic", "net"),
            ):
                piece = (recipe.get(role) or {}).get("name")
                listed = used.setdefault((kind, piece), {}).setdefault(file.stem, []) if piece else [name]
                if name not in listed:
                    listed.append(name)
    return used


def standings(root: Path) -> dict[str, list[dict[str, str]]] | None:
    """Scale -> rows (method, family, score, ci_low, ci_high, rank) of the study ground_truth; None: never measured."""
    files = {file.parents[2].name: file for file in sorted(root.glob(STANDINGS.format(scale="*")))}
    if not files:
        return None
    return {scale: list(csv.DictReader(file.read_text("utf-8").splitlines())) for scale, file in files.items()}


def source(key: str) -> str:
    """A bibliography entry in one line: authors, year, title, arXiv number or DOI."""
    entry = citations.entry(key)

    def field(name: str) -> str:
        match = re.search(FIELD.format(name), entry, re.MULTILINE | re.DOTALL)
        return _plain(match[1]) if match else ""

    place = f"arXiv {field('eprint')}" if field("eprint") else field("journal") or field("doi") or field("booktitle")
    return f"{_names(field('author'))} {field('year')}, *{field('title')}*, {place}"


def _groups() -> dict[str, list[tuple[str, str, Any]]]:
    """Title -> (kind, name, class) of its pieces, by name."""
    titles = {
        "Adversarial methods": Adversarial,
        "Transport maps": TransportMap,
        "Controls and other references": Control,
    }
    methods = [("method", name, registry.load("method", name)) for name in registry.package_files("method")]
    groups = {title: [item for item in methods if issubclass(item[2], base)] for title, base in titles.items()}
    for title, kind in (("Constraints", "constraint"), ("Networks", "net")):
        groups[title] = [(kind, name, registry.load(kind, name)) for name in registry.package_files(kind)]
    return {title: sorted(pieces, key=lambda piece: piece[1]) for title, pieces in groups.items() if pieces}


def _entry(
    kind: str, name: str, cls: Any, used: dict[str, list[str]], ranked: dict[str, list[dict[str, str]]] | None
) -> str:
    parts = [f"### {kind} {name}", f"```text\n{inspect.getdoc(cls)}\n```"]
    schema = cls.model_json_schema()
    settings = [
        f"| `{key}` | {type_of(value)} | {default_of(value, schema)} | {value.get('description', '')} |"
        for key, value in schema["properties"].items()
    ]
    if settings:
        parts.append("\n".join(["| setting | type | default | meaning |", "|---|---|---|---|", *settings]))
    facts = [f"- Source: {source(key)}" for key in cls.cites]
    facts += [f"- Study {study}: {', '.join(names)}" for study, names in used.items()]
    if ranked is not None:
        facts += _standing({name, *(recipe for names in used.values() for recipe in names)}, ranked)
    return "\n\n".join([*parts, "\n".join(facts)] if facts else parts)


def _standing(names: set[str], ranked: dict[str, list[dict[str, str]]]) -> Iterator[str]:
    """Lines about the rows of these methods or recipes."""
    lines = [
        f"- ground_truth ({scale}), {row['family']}, {row['method']}: {row['score']}"
        f" [{row['ci_low']}, {row['ci_high']}], rank {row['rank']}"
        for scale, rows in ranked.items()
        for row in rows
        if row["method"] in names
    ]
    yield from lines or ["- ground_truth: not measured yet"]


def _cell(cls: Any) -> str:
    """The first paragraph of a docstring, for a table."""
    paragraph = " ".join((inspect.getdoc(cls) or "").partition("\n\n")[0].split())
    return re.sub(r"([|*<])", r"\\\1", paragraph)


def _years(cls: Any) -> str:
    return "; ".join(dict.fromkeys(source(key).partition(",")[0] for key in cls.cites))


def _names(authors: str) -> str:
    """`Ada Lovelace and Alan Turing` -> `Lovelace & Turing`; more than two are `et al.`"""
    families = [author.rpartition(",")[0] or author.split()[-1] for author in re.split(r"\s+and\s+", authors)]
    return f"{families[0]} et al." if len(families) > 2 else " & ".join(families)


def _plain(latex: str) -> str:
    r"""`P{\'o}czos` -> `Póczos`, without braces and line breaks."""
    text = re.sub(r"""\\(['`"^~])\{?\\?([a-zA-Z])\}?""", lambda match: match[2] + ACCENTS[match[1]], latex)
    return unicodedata.normalize("NFC", " ".join(re.sub(r"[{}]", "", text).split()))
