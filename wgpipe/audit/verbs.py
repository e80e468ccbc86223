"""`wgpipe audit <verb>` and `wgpipe archive`: what their options are and what they print."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wgpipe.dag import Dag

Verb = Callable[[argparse.Namespace], int | None]
DIFFERENT = 1
RESULTS = "folder of results, such as results/quick"


def add_verbs(verbs: Any) -> None:
    """Add them to a parser's verbs."""
    text = "whether results are what they should be"
    audit = verbs.add_parser("audit", help=text, description=text).add_subparsers(required=True, metavar="VERB")

    def verb(name: str, run: Verb, text: str) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = audit.add_parser(name, help=text, description=text)
        sub.set_defaults(verb=run)
        return sub

    sub = verb("manifest", _manifest, "write manifest.json of a results folder: every file with its sha256")
    sub.add_argument("results", type=Path, help=RESULTS)

    text = "check bytes, completeness, orphans, records and code of a results folder; exit code 1 if anything is wrong"
    sub = verb("verify", _verify, text)
    sub.add_argument("results", type=Path, help=f"{RESULTS}, or an archive of one")
    sub.add_argument("--digest", metavar="SHA256", help="what the folder's digest must be, as written down elsewhere")
    text = "whether results of other code than the present fail; by default where they lie in the present project"
    sub.add_argument("--code", choices=["fail", "note"], help=text)
    _add_outputs(sub, page=True)
    _add_trust(sub)

    sub = verb("prune", _prune, "list the orphans of a results folder: files that no rule of its grid makes")
    sub.add_argument("results", type=Path, help=RESULTS)
    sub.add_argument("--delete", action="store_true", help="delete them, and write the manifest anew")
    _add_trust(sub)

    text = "train random blocks again in a temporary folder and compare; exit code 1 if one is not what was recorded"
    sub = verb("rerun", _rerun, text)
    sub.add_argument("results", type=Path, help=RESULTS)
    sub.add_argument("--sample", type=_count, default=3, metavar="K", help="how many blocks (3)")
    sub.add_argument("--seed", type=int, default=0, help="which ones (0)")
    _add_outputs(sub, page=False)
    _add_trust(sub)

    sub = verb("trace", _trace, "the runs, data and code behind a cell of a table or a claim, and how to repeat them")
    sub.add_argument("what", metavar="TABLE|CLAIM", help="a .csv file of a results folder, or a claim's identifier")
    sub.add_argument("cell", nargs="*", metavar="CELL", help="of a table: ROW,COLUMN, or KEY=VALUE ... COLUMN")
    sub.add_argument("--results", type=Path, help="the folder; needed for a claim, found from a table")
    _add_outputs(sub, page=False)
    _add_trust(sub)

    text = "two results folders: same, within noise or different, by cell and by verdict; exit code 1 if different"
    sub = verb("compare", _compare, text)
    sub.add_argument("first", type=Path, help=RESULTS)
    sub.add_argument("second", type=Path, help="another, such as results/reference/quick")
    _add_outputs(sub, page=True)

    sub = verb("reference", _reference, "copy the small tables of a complete run, with a manifest")
    sub.add_argument("results", type=Path, help=RESULTS)
    sub.add_argument("out", type=Path, help="folder to replace, such as results/reference/quick")

    text = "pack results, configuration, code, lock and manifest into one file, as a Workflow Run RO-Crate"
    sub = verbs.add_parser("archive", help=text, description=text)
    sub.set_defaults(verb=_archive)
    sub.add_argument("results", type=Path, help=RESULTS)
    sub.add_argument("out", type=Path, metavar="OUT.zip")
    sub.add_argument("--without-models", action="store_true", help="leave the weights out, and say so in the manifest")
    text = "when it was published; by default the day on which the last result was made, by its provenance"
    sub.add_argument("--date", metavar="YYYY-MM-DD", help=text)
    _add_trust(sub)


def _add_outputs(sub: argparse.ArgumentParser, page: bool) -> None:
    sub.add_argument("--json", action="store_true", help="machine-readable")
    if page:
        sub.add_argument("--html", type=Path, metavar="FILE", help="write a readable page as well")


def _add_trust(sub: argparse.ArgumentParser) -> None:
    text = "run code of the user's own that came with the results; by default only where they lie in this project"
    sub.add_argument("--trust", action="store_const", const=True, help=text)


def _count(given: str) -> int:
    if not given.isdecimal() or int(given) == 0:
        raise argparse.ArgumentTypeError(f"'{given}' is no number of blocks")
    return int(given)


def _manifest(options: argparse.Namespace) -> None:
    from wgpipe.audit.manifest import digest, read_manifest, write_manifest

    file = write_manifest(options.results)
    files = read_manifest(options.results)
    print(f"{file}: {len(files)} files; digest {digest(files)}")


def _verify(options: argparse.Namespace) -> int:
    from wgpipe.audit import pages
    from wgpipe.audit.archive import is_archive, verify_archive
    from wgpipe.audit.verify import verify

    matters = None if options.code is None else options.code == "fail"
    check = verify_archive if is_archive(options.results) else verify
    report = check(options.results, options.digest, matters, options.trust)
    _show(options, report.to_json(), pages.verified_lines(report))
    if options.html:
        pages.write_page(options.html, pages.verified_page(report))
    return 0 if report.passed else DIFFERENT


def _prune(options: argparse.Namespace) -> None:
    from wgpipe.audit.manifest import write_manifest
    from wgpipe.audit.verify import orphans

    names = orphans(options.results, options.trust)
    for name in names:
        print(name)
        if options.delete:
            (options.results / name).unlink()
    if names and options.delete:
        write_manifest(options.results)
    print(f"{options.results}: {len(names)} orphans{' deleted' if options.delete else ''}")


def _rerun(options: argparse.Namespace) -> int:
    from wgpipe.audit.folder import open_folder
    from wgpipe.audit.rerun import rerun, sample, to_json

    dag = open_folder(options.results, options.trust)
    results = rerun(
        dag, sample(dag, options.sample, options.seed), lambda line: print(line, file=sys.stderr, flush=True)
    )
    agree = sum(result.agrees for result in results)
    _show(options, to_json(results), [*map(str, results), f"{agree} of {len(results)} blocks are what was recorded"])
    return 0 if agree == len(results) else DIFFERENT


def _trace(options: argparse.Namespace) -> None:
    from wgpipe.audit.trace import find_cell, find_claim, lines, to_json

    if options.what.endswith(".csv"):
        table = Path(options.what)
        dag = _dag_of(table, options.results, options.trust)
        traced = find_cell(dag, table, options.cell)
        _show(options, to_json(dag, traced), list(lines(dag, traced)))
        return
    dag = _opened(options.results, options.trust)
    traced = find_claim(dag, options.what)
    _show(options, to_json(dag, traced), [*_explained(dag, options.what), *list(lines(dag, traced))])


def _explained(dag: Dag, claim: str) -> list[str]:
    """The chain of a claim as `wgpipe claims --explain` shows it, where the ledger has it."""
    from wgpipe.dag import CONFIG_FOLDER
    from wgpipe.studies.explain import explained

    return [*explained(dag, claim, CONFIG_FOLDER).splitlines(), ""] if (dag.root / "claims.csv").is_file() else []


def _opened(results: Path | None, trusted: bool | None) -> Dag:
    from wgpipe.audit.folder import open_folder
    from wgpipe.errors import UserError

    if results is None:
        raise UserError("--results must name the folder of a claim, such as results/quick.")
    return open_folder(results, trusted)


def _dag_of(table: Path, results: Path | None, trusted: bool | None) -> Dag:
    """The grid of the folder that a table lies in."""
    from wgpipe.audit.folder import open_folder
    from wgpipe.errors import UserError
    from wgpipe.grid import RESOLVED

    for folder in [results] if results else table.parents:
        if (folder / "config" / RESOLVED).is_file():
            return open_folder(folder, trusted)
    raise UserError(f"{table} lies in no results folder with its configuration; a reference has tables only.")


def _compare(options: argparse.Namespace) -> int:
    from wgpipe.audit import pages
    from wgpipe.audit.compare import compare

    found = compare(options.first, options.second)
    _show(options, found.to_json(), pages.compared_lines(found))
    if options.html:
        pages.write_page(options.html, pages.compared_page(found))
    return 0 if found.agrees else DIFFERENT


def _reference(options: argparse.Namespace) -> None:
    from wgpipe.audit.reference import write_reference

    for name in write_reference(options.results, options.out):
        print(f"left out, too large: {name}")


def _archive(options: argparse.Namespace) -> None:
    from wgpipe.audit.archive import write_archive

    print(write_archive(options.results, options.out, not options.without_models, options.date, options.trust))


def _show(options: argparse.Namespace, content: dict[str, Any], lines: list[str]) -> None:
    print(json.dumps(content, indent=1, ensure_ascii=False) if options.json else "\n".join(lines))
