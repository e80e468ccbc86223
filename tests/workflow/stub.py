"""In place of the verbs of wgpipe, for tests of the DAG: each writes at once what follows from what it depends on.

A result is a hash of the files that a verb is given, of its options, and of the code of the pieces that it uses: of its
syntax, which has no comments. Records name the fingerprints that the real verbs write, since the Snakefile compares
them. Each call leaves a line in calls.txt.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

BLOCK = ("generator.safetensors", "critic.safetensors", "history.parquet")
QUALITY = ("failures", "controls", "floors")
LEDGER = ("claims.csv", "claims.html", "claims.md", "claims.tex", "quality.html", "quality.md")
RANKING = [f"critical_difference.{kind}" for kind in ("pdf", "svg", "png")]
RANKING += ["ranking.csv", "pairwise.csv", "ranking.md", "ranking.tex", "cells.csv"]


def digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def content(*files: Path) -> list[str]:
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def code(file: Path) -> str:
    """The syntax of a file, which has no comments."""
    return ast.dump(ast.parse(file.read_text()))


def write(file: Path, text: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text if isinstance(text, str) else json.dumps(text))


def fingerprint(kind: str, *arguments: Any) -> str:
    """What `wgpipe.identity` says, asked once for each state of the package."""
    places = [*sorted(Path("wgpipe").rglob("*.py")), Path("own.py")]
    state = digest(kind, arguments, [(file, file.stat().st_mtime_ns, file.stat().st_size) for file in places])
    kept = Path("fingerprints") / state
    if not kept.is_file():
        from wgpipe import identity, registry
        from wgpipe.recipe import Recipe

        registry.add_files("dataset", {"mine": "./own.py"})
        given = [Recipe.model_validate(each) if isinstance(each, dict) else each for each in arguments]
        kept.parent.mkdir(exist_ok=True)
        fresh = kept.with_name(f"{state}.{os.getpid()}")
        fresh.write_text(getattr(identity, kind)(*given))
        fresh.replace(kept)
    return kept.read_text()


def piece(family: str) -> Path:
    """The file of a family of datasets."""
    return Path("own.py") if family == "mine" else Path("wgpipe/data") / f"{family}.py"


def prepare(name: str, given: dict[str, list[str]]) -> None:
    out, made = Path(given["out"][0]), digest(name, code(piece(name.partition("-")[0])))
    for file in ("data.npz", "card.json"):
        write(out / file, made)


def train(given: dict[str, list[str]]) -> None:
    recipe, data, out = Path(given["recipe"][0]), Path(given["data"][0]), Path(given["out"][0])
    settings = json.loads(recipe.read_text())
    family = data.name.partition("-")[0]
    method = Path("wgpipe/methods") / f"{settings['method']['name']}.py"
    depends = [
        *content(recipe, data / "data.npz", data / "card.json"),
        code(method),
        code(piece(family)),
        given["seeds"],
    ]
    runs = {}
    for n in given["n"]:
        folder = out / f"n{n}"
        for file in BLOCK:
            write(folder / file, digest(file, n, *depends))
        write(folder / "run.json", {"code": fingerprint("training_code", settings, family), "n": n})
        runs[folder.name] = content(*(folder / file for file in BLOCK))
    write(out / "bundle.json", runs)


def measure(given: dict[str, list[str]]) -> None:
    recipe, data, out = Path(given["recipe"][0]), Path(given["data"][0]), Path(given["out"][0])
    metrics = {name for file in given["metrics"] for name in json.loads(Path(file).read_text())}
    blocks = [Path(block) / file for block in given["blocks"] for file in BLOCK]
    depends = content(recipe, data / "data.npz", *map(Path, given["metrics"]), *blocks)
    write(
        out, digest(depends, given["blocks"], [code(Path("wgpipe/metrics") / f"{name}.py") for name in sorted(metrics)])
    )
    codes = " ".join(f"{name}={fingerprint('metric_code', name)}" for name in sorted(metrics))
    write(out.with_suffix(".json"), {"code": codes})


def study(given: dict[str, list[str]]) -> None:
    file, out = Path(given["study"][0]), Path(given["out"][0])
    settings = json.loads(file.read_text())["study"]
    name = settings["study"]
    made = digest(content(file, *map(Path, given["measures"])), code(Path("wgpipe/studies") / f"{name}.py"))
    names = [f"{figure}.{kind}" for figure in settings["figures"] for kind in ("pdf", "svg", "png")]
    names += [f"{table}.csv" for table in (*settings["tables"], *QUALITY, "claims")]
    for each in [*names, *(f"{table}.tex" for table in settings["latex"])]:
        write(out / each, digest(each, made))
    write(out / "study.json", {"code": fingerprint("study_code", name)})


def ledger(given: dict[str, list[str]]) -> None:
    tables = [Path(folder) / f"{name}.csv" for folder in given["studies"] for name in ("claims", *QUALITY)]
    made = digest(content(*tables, *map(Path, given["settings"]), *map(Path, given["configs"])))
    out = Path(given["out"][0])
    for name in (*LEDGER, *(f"quality/{name}.csv" for name in (*QUALITY, "needs"))):
        write(out / name, digest(name, made))


def ranking(given: dict[str, list[str]]) -> None:
    made = digest(content(*map(Path, given["recipes"]), *map(Path, given["measures"])))
    for name in RANKING:
        write(Path(given["out"][0]) / name, digest(name, made))


def manifest(folder: Path) -> None:
    left = (".log", "manifest.json")
    held = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(left)]
    held = [path for path in held if not path.name.startswith(".")]
    write(folder / "manifest.json", dict(zip(map(str, held), content(*held), strict=True)))


def main(arguments: list[str]) -> None:
    verb, *rest = arguments
    given: dict[str, list[str]] = {"": []}
    option = ""
    for word in rest:
        if word.startswith("--"):
            option = word[2:]
            given.setdefault(option, [])
        else:
            given[option].append(word)
    match verb:
        case "prepare":
            prepare(given[""][0], given)
        case "audit":
            manifest(Path(given[""][1]))
        case _:
            {"train": train, "measure": measure, "study": study, "ledger": ledger, "ranking": ranking}[verb](given)
    made = {"audit": "manifest", "study": "study"}.get(verb, f"{verb} {given.get('out', [''])[0]}")
    with Path("calls.txt").open("a") as calls:
        calls.write(made + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
