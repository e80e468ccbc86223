"""The command line: `wgpipe <verb>`. The Snakefile calls these verbs, so each job can be repeated by hand."""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wgpipe.audit.provenance import Clock
from wgpipe.audit.verbs import add_verbs
from wgpipe.errors import UserError

if TYPE_CHECKING:
    from wgpipe.extractors.reference import FeatureFiles
    from wgpipe.grid import Grid

BAD_INPUT = 2
COLLECT_AFTER = 100_000  # objects
# Verbs with provenance beside what they make. The others do not load what it takes to write it: a third of a second.
RECORDED = ("prepare", "classifier", "features", "train", "measure", "pictures", "study", "ledger", "ranking")
DEFAULT_CONFIG = Path("config/config.yaml")


def command() -> int:
    """`main` as a process of its own.

    Most verbs take seconds, and the libraries they import make objects that live to the end: walking through these
    again and again, and once more at the exit, would take a third of a small job's time.
    """
    gc.set_threshold(COLLECT_AFTER)
    code = main()
    gc.freeze()
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; exit code 2 and one sentence for a user's mistake, 1 where results are not what they should be."""
    clock = Clock()
    options = _parser().parse_args(arguments)
    _set_threads(getattr(options, "threads", 1))
    try:
        verb: Callable[[argparse.Namespace], int | None] = options.verb
        code = verb(options) or 0
        if code == 0:
            _record(options, ["wgpipe", *(sys.argv[1:] if arguments is None else arguments)], clock)
        return code
    except UserError as error:
        print("wgpipe:", " ".join(str(error).splitlines()), file=sys.stderr)
        return BAD_INPUT
    except FileNotFoundError as error:
        print(f"wgpipe: {error.filename} does not exist.", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"wgpipe: {error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)
        return BAD_INPUT
    return 0


def _record(options: argparse.Namespace, command: list[str], clock: Clock) -> None:
    """Where what a verb has made comes from; it imports numpy, so not before threads are set."""
    if getattr(options, "name", "") not in RECORDED:
        return
    from wgpipe.audit.recording import record

    record(options.name, options, command, clock)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wgpipe", description="What the theory of (Wasserstein) GANs is worth.")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")

    def verb(name: str, run: Callable[[argparse.Namespace], int | None], text: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=text, description=text)
        sub.set_defaults(verb=run, name=name)
        return sub

    for name, run, text in (
        ("check", _check, "check a configuration and write nothing"),
        ("resolve", _resolve, "check a configuration and write it with every default, for the jobs"),
        ("plan", _plan, "what would be run, what is excluded and why, and what it would cost"),
        ("cite", _cite, "BibTeX of everything that a configuration uses"),
        ("summary", _summary, "where the results of a configuration lie"),
        ("claims", _claims, "the verdicts on a configuration's claims, and with --explain all that is behind one"),
    ):
        sub = verb(name, run, text)
        sub.add_argument("config", nargs="*", type=Path, help=f"overlays on {DEFAULT_CONFIG}, merged in order")
        sub.add_argument(
            "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting on top of all files"
        )
        if name == "plan":
            sub.add_argument("--json", action="store_true", help="machine-readable")
            sub.add_argument("--profile", type=Path, help="of a cluster, such as slurm: what it would be given")
        if name == "claims":
            sub.add_argument("--explain", metavar="ID", help="one claim: settings, data, runs, numbers, test, verdict")
        if name == "resolve":
            sub.add_argument("--settings", metavar="JSON", default="{}", help="settings on top, as JSON")

    sub = verb("list", _list, "known methods, constraints, nets, datasets, metrics, extractors or studies")
    kinds = ["methods", "constraints", "nets", "datasets", "metrics", "extractors", "studies"]
    sub.add_argument("kind", choices=kinds)
    sub.add_argument("--docs", action="store_true", help="write docs/methods.md: methods, constraints and nets")

    verb("docs", _docs, "write config/README.md and the schemas in workflow/schemas/ from the code")

    sub = verb("fetch", _fetch, "download one file of a dataset, or the weights of an extractor, and check it")
    sub.add_argument("owner", help="dataset or extractor")
    sub.add_argument("--file", required=True, help="which of its files")
    sub.add_argument("--out", type=Path, required=True, help="folder to put it in")
    sub.add_argument("--mirror", type=Path, help="folder of local copies (host + path of the URL); or WGPIPE_MIRROR")
    sub.add_argument("--placed", type=Path, help="folder of files downloaded by hand; or WGPIPE_PLACED")
    _add_own(sub)

    sub = verb("prepare", _prepare, "make data.npz and card.json of a dataset")
    sub.add_argument("dataset")
    sub.add_argument("--downloads", type=Path, required=True)
    sub.add_argument("--out", type=Path, required=True)
    _add_own(sub)

    sub = verb("classifier", _classifier, "train the extractor 'classifier' on a dataset")
    sub.add_argument("--data", type=Path, required=True, help="prepared dataset with labels")
    sub.add_argument("--out", type=Path, required=True, help="folder of the weights")
    sub.add_argument("--threads", type=int, default=1)
    _add_own(sub)

    sub = verb("features", _features, "features of a dataset's images, with which generated ones are compared")
    sub.add_argument("--data", type=Path, required=True, help="prepared dataset of images")
    sub.add_argument("--extractor", required=True, help="`wgpipe list extractors`")
    sub.add_argument("--count", type=int, required=True, help="images of each split, as many as there are at most")
    _add_features(sub, required=True)
    sub.add_argument("--threads", type=int, default=1)
    _add_own(sub)

    sub = verb("train", _train, "train the blocks of one dataset, recipe and slot of seeds")
    sub.add_argument("--recipe", type=Path, required=True)
    sub.add_argument("--data", type=Path, required=True)
    sub.add_argument("--n", type=int, nargs="+", required=True, help="training sample sizes, a block each")
    sub.add_argument("--seeds", type=_seeds, required=True, metavar="FIRST-LAST")
    sub.add_argument("--out", type=Path, required=True)
    sub.add_argument("--base", type=Path, help="bundle of the recipe whose trained generators this one builds on")
    sub.add_argument("--threads", type=int, default=1)
    sub.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    sub.add_argument("--path", choices=["auto", "autograd"], default="auto", help="what computes gradients")
    _add_own(sub)

    sub = verb("measure", _measure, "measure all blocks of a dataset and recipe")
    sub.add_argument("--recipe", type=Path, required=True)
    sub.add_argument("--data", type=Path, required=True)
    sub.add_argument("--metrics", type=Path, nargs="+", required=True)
    sub.add_argument("--blocks", type=Path, nargs="+", required=True, help="folders of trained blocks")
    sub.add_argument("--out", type=Path, required=True)
    _add_features(sub, required=False)
    sub.add_argument("--threads", type=int, default=1)
    _add_own(sub)

    sub = verb("pictures", _pictures, "generated images of a dataset and recipe, with the nearest training images")
    sub.add_argument("--recipe", type=Path, required=True)
    sub.add_argument("--data", type=Path, required=True)
    sub.add_argument("--blocks", type=Path, nargs="+", required=True, help="folders of trained blocks")
    sub.add_argument("--generated", type=int, required=True, help="images of each seed")
    sub.add_argument("--neighbours", type=int, required=True, help="of them, those with the nearest beside")
    sub.add_argument("--extractor", help="features in which the nearest are looked for, besides pixels")
    sub.add_argument("--out", type=Path, required=True, help=".npz file to write")
    sub.add_argument("--threads", type=int, default=1)
    _add_features(sub, required=False)
    _add_own(sub)

    sub = verb("study", _study, "tables, figures and claims of one study")
    sub.add_argument("--study", type=Path, required=True, help="the study as `wgpipe resolve` wrote it")
    sub.add_argument("--measures", type=Path, nargs="+", required=True)
    sub.add_argument("--pictures", type=Path, nargs="*", default=[], help="what `wgpipe pictures` wrote")
    sub.add_argument("--out", type=Path, required=True)
    sub.add_argument("--allow-missing", action="store_true")

    sub = verb("ledger", _ledger, "the claims of all studies in one ledger, and their quality control")
    sub.add_argument("--studies", type=Path, nargs="+", required=True, help="folders of the studies that ran")
    sub.add_argument("--settings", type=Path, nargs="+", required=True, help="these as `wgpipe resolve` wrote them")
    sub.add_argument("--configs", type=Path, nargs="+", required=True, help="YAML files of all studies")
    sub.add_argument("--out", type=Path, required=True)

    sub = verb("ranking", _ranking, "methods ranked over the cells that they share")
    sub.add_argument("--recipes", type=Path, nargs="+", required=True, help="recipes as `wgpipe resolve` wrote them")
    sub.add_argument("--measures", type=Path, nargs="+", required=True)
    sub.add_argument("--out", type=Path, required=True)

    add_verbs(verbs)
    return parser


def _set_threads(count: int) -> None:
    """Fix the numeric threads before any library starts them: results must not depend on the cores that a job gets."""
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(count)


def _add_own(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--own", action="append", default=[], metavar="KIND:NAME=FILE", help="a piece of your own, by its .py file"
    )


def _add_features(parser: argparse.ArgumentParser, required: bool) -> None:
    parser.add_argument("--features", type=Path, required=required, help="folder of a dataset's features")
    parser.add_argument(
        "--downloads", type=Path, default=Path("results/downloads"), help="folder of the weights of extractors"
    )
    parser.add_argument(
        "--device", choices=["auto", "cpu", "cuda"], default="auto", help="where images are made and looked at"
    )


def _register_own(given: list[str]) -> None:
    from wgpipe import registry

    for item in given:
        kind, _, rest = item.partition(":")
        name, equals, file = rest.partition("=")
        if not equals or kind not in registry.FOLDERS:
            raise UserError(f"--own {item}: it must be KIND:NAME=FILE, such as method:mine=./mine.py.")
        registry.add_files(kind, {name: file})


def _config_files(options: argparse.Namespace) -> list[Path]:
    given: list[Path] = options.config
    return [DEFAULT_CONFIG, *(file for file in given if file.resolve() != DEFAULT_CONFIG.resolve())]


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    from wgpipe.settings import parsed_overrides

    return parsed_overrides(options.set)


def _check(options: argparse.Namespace) -> None:
    from wgpipe.grid import Grid
    from wgpipe.resolve import resolve

    grid = Grid(resolve(_config_files(options), _overrides(options)))
    print(f"{grid.scale}: {len(grid.blocks)} blocks, {len(grid.exclusions)} exclusions; the configuration is right.")


def _resolve(options: argparse.Namespace) -> None:
    from wgpipe.dag import config_digest
    from wgpipe.grid import Grid
    from wgpipe.resolve import resolve
    from wgpipe.settings import parsed_settings

    overrides = {**parsed_settings(options.settings), **_overrides(options)}
    files = _config_files(options)
    Grid(resolve(files, overrides)).write_config(config_digest(files, overrides))


def _plan(options: argparse.Namespace) -> None:
    from wgpipe.cluster import Cluster
    from wgpipe.grid import Grid
    from wgpipe.plan import plan_of, shown
    from wgpipe.resolve import resolve
    from wgpipe.submissions import Submissions, components_of

    components = components_of(options.profile) if options.profile else None
    grid = Grid(resolve(_config_files(options), _overrides(options)))
    plan = plan_of(grid)
    if components is not None:
        plan |= Submissions(Cluster(grid, lambda: components)).summary()
    print(json.dumps(plan, indent=1, ensure_ascii=False) if options.json else shown(plan))


def _cite(options: argparse.Namespace) -> None:
    from wgpipe import citations
    from wgpipe.grid import Grid
    from wgpipe.resolve import OWN_KINDS, resolve

    resolved = resolve(_config_files(options), _overrides(options))
    own = [Path(file) for kind in OWN_KINDS for file in getattr(resolved.config, f"{kind}s").values()]
    for key in Grid(resolved).citations():
        print(citations.entry(key, own) + "\n")


def _summary(options: argparse.Namespace) -> None:
    from wgpipe.summary import summary

    print(summary(_resolved_grid(options)))


def _claims(options: argparse.Namespace) -> None:
    from wgpipe.studies.explain import explained, listed

    grid = _resolved_grid(options)
    print(explained(grid, options.explain, DEFAULT_CONFIG.parent) if options.explain else listed(grid))


def _resolved_grid(options: argparse.Namespace) -> Grid:
    """What `wgpipe resolve` last wrote for a configuration's scale."""
    from wgpipe.grid import resolved_grid
    from wgpipe.resolve import raw_config

    return resolved_grid(str(raw_config(_config_files(options), _overrides(options)).get("scale")))


def _list(options: argparse.Namespace) -> None:
    from wgpipe import registry

    if options.docs:
        _list_docs(options.kind)
        return
    kind = "study" if options.kind == "studies" else options.kind.removesuffix("s")
    for name, file in registry.files(kind).items():
        print(f"{name:<16} {registry.first_line(name, file)}")


def _list_docs(kind: str) -> None:
    from wgpipe.method_docs import write_page

    if kind != "methods":
        raise UserError(f"--docs goes with 'list methods', not with 'list {kind}'.")
    print(write_page())


def _docs(options: argparse.Namespace) -> None:
    from wgpipe.manual import write_pages

    for file in write_pages():
        print(file)


def _fetch(options: argparse.Namespace) -> None:
    from wgpipe.errors import suggestion
    from wgpipe.extractors import sources_of
    from wgpipe.fetch import fetch

    _register_own(options.own)
    sources = {source.file: source for source in sources_of(options.owner)}
    if options.file not in sources:
        raise UserError(f"'{options.owner}' has no file '{options.file}'{suggestion(options.file, sources)}")
    mirror = options.mirror or os.environ.get("WGPIPE_MIRROR")
    by_hand = options.placed or os.environ.get("WGPIPE_PLACED")
    fetch(
        sources[options.file],
        options.out,
        Path(mirror) if mirror else None,
        by_hand=Path(by_hand) if by_hand else None,
    )


def _prepare(options: argparse.Namespace) -> None:
    from wgpipe.data import dataset
    from wgpipe.data.prepared import save
    from wgpipe.fetch import check
    from wgpipe.identity import preparing_code

    _register_own(options.own)
    chosen = dataset(options.dataset)
    files = {source.file: options.downloads / source.file for source in chosen.sources()}
    for source in chosen.sources():
        check(source, files[source.file])
    unfinished = options.out / "unfinished"
    save(options.out, chosen, chosen.prepare_in(unfinished / preparing_code(chosen.registered_name), files))
    shutil.rmtree(unfinished, ignore_errors=True)


def _classifier(options: argparse.Namespace) -> None:
    import torch

    from wgpipe.extractors.classifier_training import write_classifier

    _register_own(options.own)
    torch.set_num_threads(options.threads)
    write_classifier(options.data, options.out)


def _features(options: argparse.Namespace) -> None:
    import torch

    from wgpipe.extractors.reference import FeatureFiles, write_features

    _register_own(options.own)
    torch.set_num_threads(options.threads)
    files = FeatureFiles(options.features, options.downloads, options.device)
    write_features(options.data, options.extractor, files, options.count)


def _train(options: argparse.Namespace) -> None:
    from wgpipe.train.bundle import train
    from wgpipe.train.job import Job

    _register_own(options.own)
    job = Job.read(options.recipe, options.data, options.n[0], options.seeds, options.base)
    train(options.out, [replace(job, n=n) for n in options.n], options.threads, options.device, options.path)


def _seeds(given: str) -> tuple[int, ...]:
    from wgpipe.config import MOST_SEEDS

    first, _, last = given.partition("-")
    whole = all(text.isascii() and text.isdecimal() and len(text) < 10 for text in (first, last))
    if not whole or not int(first) <= int(last) < MOST_SEEDS:
        raise argparse.ArgumentTypeError(f"'{given}' is not a range such as 0-7")
    return tuple(range(int(first), int(last) + 1))


def _measure(options: argparse.Namespace) -> None:
    from wgpipe.metrics.table import write_measures

    _register_own(options.own)
    features = _feature_files(options)
    write_measures(
        options.recipe, options.data, options.metrics, options.blocks, options.out, options.threads, features
    )


def _feature_files(options: argparse.Namespace) -> FeatureFiles | None:
    """Where features of real images lie, if the job was told."""
    from wgpipe.extractors.reference import FeatureFiles

    return FeatureFiles(options.features, options.downloads, options.device) if options.features else None


def _pictures(options: argparse.Namespace) -> None:
    import torch

    from wgpipe.metrics.pictures import write_pictures

    _register_own(options.own)
    torch.set_num_threads(options.threads)
    counts, features = (options.generated, options.neighbours), _feature_files(options)
    write_pictures(options.recipe, options.data, options.blocks, options.out, counts, features, options.extractor)


def _study(options: argparse.Namespace) -> None:
    from wgpipe.studies.build import build_study

    build_study(options.study, options.measures, options.pictures, options.out, options.allow_missing)


def _ledger(options: argparse.Namespace) -> None:
    from wgpipe.studies.ledger_files import build_ledger

    build_ledger(options.studies, options.settings, options.configs, options.out)


def _ranking(options: argparse.Namespace) -> None:
    from wgpipe.studies.ranking import build_ranking

    build_ranking(options.recipes, options.measures, options.out)


if __name__ == "__main__":
    sys.exit(main())
