"""Every file that a verb reads, damaged in hundreds of ways: one sentence, or the result that the whole file gives.

Of some files a verb does not see each change, since a number in a file of settings or a table of a study may be any;
then what the verb makes may be another, and `wgpipe audit verify` names the file. `SEEN` are those of which the verb
itself must see every change.
"""

from __future__ import annotations

import contextlib
import gc
import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given

from tests.audit.conftest import RESULTS, RUN
from tests.mutations import Bytes, of_file, quickly
from wgpipe.audit.manifest import differences
from wgpipe.cli import main
from wgpipe.studies import build, ranking
from wgpipe.train import files

RECIPE, DATA, STUDY = "config/recipes/wgan-lp.json", "data/surface-2in8", "config/studies/vanilla_rates.json"
METRICS, TABLE, FOLDER = (
    "config/metrics/vanilla_rates.json",
    "measures/surface-2in8/wgan-lp.parquet",
    "studies/vanilla_rates",
)
BLOCK = f"{RUN}/n16"
OUT = "out"  # of a verb, beside the results


def at(name: str) -> str:
    return str(RESULTS / name)


def _train() -> list[str]:
    given = ["--recipe", at(RECIPE), "--data", at(DATA), "--n", "16", "32", "--seeds", "0-1"]
    return ["train", *given, "--out", at(RUN)]


def _measure() -> list[str]:
    blocks = [at(f"{RUN}/n{n}") for n in (16, 32)]
    given = ["--recipe", at(RECIPE), "--data", at(DATA), "--metrics", at(METRICS), "--blocks", *blocks]
    return ["measure", *given, "--out", f"{OUT}/table.parquet"]


def _study() -> list[str]:
    tables = sorted(map(str, (RESULTS / "measures").rglob("*.parquet")))
    return ["study", "--study", at(STUDY), "--measures", *tables, "--out", OUT]


def _ledger() -> list[str]:
    given = ["--studies", at(FOLDER), "--settings", at(STUDY), "--configs", "config/studies/vanilla_rates.yaml"]
    return ["ledger", *given, "--out", OUT]


def _ranking() -> list[str]:
    recipes = sorted(map(str, (RESULTS / "config/recipes").glob("*.json")))
    return [
        "ranking",
        "--recipes",
        *recipes,
        "--measures",
        at(TABLE),
        at(TABLE.replace("wgan", "vanilla")),
        "--out",
        OUT,
    ]


@dataclass(frozen=True)
class Case:
    """A verb, the files that it reads, and how many damages of each."""

    command: Callable[[], list[str]]
    names: tuple[str, ...]
    examples: int


TABLES = tuple(f"{FOLDER}/{name}.csv" for name in ("claims", "failures", "controls", "floors"))
KEPT = (f"{BLOCK}/metrics/w1-*.json", f"{BLOCK}/metrics/spread-*.json")
TRAINED = tuple(f"{BLOCK}/{name}" for name in files.OUTPUTS)
PREPARED = (f"{DATA}/data.npz", f"{DATA}/card.json")
RESOLVED = "config/resolved.json"
SHOWN = (RESOLVED, "claims.csv", f"{DATA}/card.json", f"{BLOCK}/run.json", f"{FOLDER}/rates.csv")
TRACED = (RESOLVED, f"{FOLDER}/claims.csv", f"{DATA}/card.json", f"{BLOCK}/run.json", TABLE)
COMPARED = ("claims.csv", f"{FOLDER}/rates.csv", f"{FOLDER}/runs.csv", "ranking/ranking.csv", "quality/failures.csv")
RECORDS = (f"{BLOCK}/run.json", f"{BLOCK}/provenance.json", f"{RUN}/bundle.json", f"{FOLDER}/study.json")
VERIFIED = ("manifest.json", RESOLVED, RECIPE, TABLE, f"{DATA}/card.json", KEPT[0], *RECORDS)
EXPLAIN = ["claims", "config/smoke.yaml", "--explain", "van-rate"]

CASES = {
    "train": Case(_train, (RECIPE, *PREPARED), 12),
    "train kept": Case(_train, TRAINED, 6),
    "measure": Case(_measure, (RECIPE, METRICS, *PREPARED, *TRAINED), 18),
    "measure kept": Case(_measure, KEPT, 20),
    "study": Case(_study, (STUDY, TABLE, TABLE.replace("parquet", "json")), 20),
    "ledger": Case(_ledger, (STUDY, *TABLES), 15),
    "ranking": Case(_ranking, (RECIPE, TABLE), 20),
    "summary": Case(lambda: ["summary", "config/smoke.yaml"], (RESOLVED, "claims.csv"), 25),
    "explain": Case(lambda: EXPLAIN, SHOWN, 12),
    "trace claim": Case(lambda: ["audit", "trace", "van-rate", "--results", str(RESULTS)], TRACED, 12),
    "trace cell": Case(lambda: ["audit", "trace", at(f"{FOLDER}/rates.csv"), "1,slope"], (f"{FOLDER}/rates.csv",), 25),
    "compare": Case(lambda: ["audit", "compare", "one", "whole"], COMPARED, 8),
    "verify": Case(lambda: ["audit", "verify", str(RESULTS), "--code", "note"], VERIFIED, 10),
    "prune": Case(lambda: ["audit", "prune", str(RESULTS)], (RESOLVED, KEPT[0]), 10),
}
# Of these, a verb that makes results must see every change.
SEEN = ("data.npz", ".safetensors", "history.parquet", "wgan-lp.parquet", "w1-", "spread-")
MAKING = ("train", "train kept", "measure", "measure kept", "study", "ranking")


@pytest.fixture(scope="module")
def whole(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the built project, which is the current folder; `whole` holds its tables, to compare with."""
    folder = tmp_path_factory.mktemp("fuzzed") / "project"
    shutil.copytree(built, folder)
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        shutil.copytree(RESULTS, "whole")
        gc.collect()
        gc.freeze()  # adjusting p-values collects garbage each time, and would walk through all that is imported
        # What is drawn and fitted from tables that were read has tests of its own, and takes seconds.
        patch.setattr(build, "control_table", lambda runs: runs.iloc[:0])
        patch.setattr(ranking, "draw_ranking", lambda *arguments: None)
        patch.setattr("wgpipe.studies.vanilla_rates.VanillaRates.build", tables_alone)
        yield folder
    gc.unfreeze()


def tables_alone(self: object, config: object, runs: object, folder: Path) -> list[object]:
    """In place of a study's figures and fits: the runs that it was given."""
    runs.to_csv(folder / "runs.csv", index=False)  # type: ignore[attr-defined]
    return []


@pytest.mark.parametrize(("verb", "name"), [(verb, name) for verb, case in CASES.items() for name in case.names])
def test_a_damaged_file_ends_in_a_sentence_or_the_same_result(verb: str, name: str, whole: Path) -> None:
    (found,) = RESULTS.glob(name)
    name = found.relative_to(RESULTS).as_posix()
    content = (whole / found).read_bytes()
    others = [RESULTS / other for other in (RECIPE, TABLE, TABLES[0], PREPARED[1], TRAINED[0])]
    others += [path for path in [RESULTS / RUN / "n32" / found.name] if path.is_file()]
    code, expected, _ = outcome(verb, found)
    assert code == 0

    @quickly(CASES[verb].examples)
    @given(change=of_file(name, [other.read_bytes() for other in others]))
    def damaged(change: Bytes) -> None:
        found.write_bytes(change(content))
        try:
            code, made, said = outcome(verb, found)
            noticed = is_noticed(name)
        finally:
            restore(whole)
            found.write_bytes(content)
        ends_well(verb, name, change(content) == content, code, made == expected, said, noticed)

    damaged()


def ends_well(verb: str, name: str, unchanged: bool, code: int, same: bool, said: str, noticed: bool) -> None:
    lines = said.splitlines()
    if code == 2:
        assert not unchanged
        assert len(lines) == 1, said
        assert lines[0].startswith("wgpipe: ")
    elif verb in ("verify", "compare"):
        assert code == (0 if unchanged or name.endswith("provenance.json") or (verb == "compare" and code == 0) else 1)
    else:
        assert code == 0
        must = verb in MAKING and any(part in name for part in SEEN)
        assert same or (noticed and not must), "a change that nobody sees"


def is_noticed(name: str) -> bool:
    """Whether the bytes of a results folder, by its manifest, name the file."""
    return name in {finding.file for finding in differences(RESULTS)} if "manifest" not in name else True


def outcome(verb: str, found: Path) -> tuple[int, dict[str, bytes] | str, str]:
    """Exit code, what was made or printed, and what was said of mistakes."""
    shutil.rmtree(OUT, ignore_errors=True)
    Path(OUT).mkdir()
    if verb == "compare":  # of this table alone: a comparison of all takes a second
        shutil.rmtree("one", ignore_errors=True)
        copy = "one" / found.relative_to(RESULTS)
        copy.parent.mkdir(parents=True)
        shutil.copy(found, copy)
    printed, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
        try:
            code = main(CASES[verb].command())
        except SystemExit as stopped:
            code = int(str(stopped.code))
    folder = RESULTS / RUN if verb.startswith("train") else Path(OUT)
    left = ("provenance.json", "cost.json")
    made = {
        path.as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(left) and "metrics" not in path.parts
    }
    errors = "".join(
        line for line in said.getvalue().splitlines(keepends=True) if code == 2 and line.startswith("wgpipe:")
    )
    return code, made or printed.getvalue(), errors or said.getvalue() if code == 2 else ""


def restore(whole: Path) -> None:
    """Whatever a verb has made anew in the folder of the bundle or of its kept values."""
    for path in (whole / RESULTS / RUN).rglob("*"):
        if path.is_file() and not (whole / "whole" / path.relative_to(whole / RESULTS)).is_file():
            path.unlink()
    for path in (whole / "whole" / RUN).rglob("*"):
        if path.is_file():
            copy = whole / RESULTS / path.relative_to(whole / "whole")
            if not copy.is_file() or copy.read_bytes() != path.read_bytes():
                shutil.copy(path, copy)
