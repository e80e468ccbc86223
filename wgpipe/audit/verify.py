"""Whether a results folder is what its manifest, its grid, its records and the present code say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wgpipe.audit.folder import NoGridError, belongs_here, name_in, open_folder, outside
from wgpipe.audit.manifest import MANIFEST, Finding, differences, digest, hashes, left_out, read_manifest
from wgpipe.audit.records import contradictions, other_code
from wgpipe.dag import Dag
from wgpipe.errors import UserError
from wgpipe.train import files

METRICS = "metrics"
BYTES, LINKS = "the bytes are those that manifest.json lists", "every result is a file of this folder"
COMPLETE, NO_ORPHANS = "what the grid asks for is there", "nothing else is there"
RECORDS, CODE = "records agree with files, settings, data and each other", "the present code made it"
OF_THE_GRID = (COMPLETE, NO_ORPHANS, RECORDS, CODE)


@dataclass
class Report:
    """What an audit has found: `findings` fail it, `notes` do not.

    `checks`: what was looked at, and how many findings that gave; None where it was not looked at, or only noted.
    """

    folder: str
    digest: str = ""
    files: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checks: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys((BYTES, LINKS, *OF_THE_GRID)))

    def add(self, check: str, findings: Iterable[Finding]) -> None:
        """What a check has found."""
        found = list(findings)
        self.checks[check] = len(found)
        self.findings = _merged([*self.findings, *found])

    @property
    def passed(self) -> bool:
        """Nothing is wrong in what was checked."""
        return not self.findings

    def summary(self) -> str:
        """One line."""
        count = "nothing" if self.passed else f"{len(self.findings)} findings"
        return f"{self.folder}: {count} to report in {self.files} files; digest {self.digest or 'unknown'}"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "folder": self.folder,
            "passed": self.passed,
            "digest": self.digest,
            "files": self.files,
            "checks": self.checks,
            "findings": [vars(finding) for finding in self.findings],
            "notes": self.notes,
        }


def verify(
    folder: Path,
    expected_digest: str | None = None,
    code_matters: bool | None = None,
    trusted: bool | None = None,
) -> Report:
    """Check bytes, completeness, orphans, records and code of a folder.

    `expected_digest` is the folder's digest as somebody wrote it down. `code_matters`: whether results of other code
    than the present are findings; None: where the folder belongs to the project that this code is of. `trusted`:
    whether the user's own code in it may run, likewise. `UserError` if there is no manifest.
    """
    report = Report(str(folder))
    found = hashes(folder)
    report.files = len(found)
    report.add(BYTES, _manifest(folder, found, report, expected_digest))
    links = outside(folder)
    report.add(LINKS, [Finding(name, "a link or no file", "what is there may lie elsewhere") for name in links])
    try:
        dag = open_folder(folder, trusted)
    except NoGridError as error:
        report.notes.append(f"not checked: completeness, orphans, records and code, since {_sentence(error)}")
    else:
        asked = _asked(dag)
        report.add(COMPLETE, _missing(dag, asked, found))
        report.add(NO_ORPHANS, _orphans(dag, asked, found))
        report.add(RECORDS, contradictions(dag, found))
        _code(dag, report, belongs_here(folder) if code_matters is None else code_matters)
    return report


def orphans(folder: Path, trusted: bool | None = None) -> list[str]:
    """Files that no rule of a folder's grid makes; `UserError` if nothing says what the grid is."""
    found = hashes(folder)
    dag = open_folder(folder, trusted)
    every = [*_orphans(dag, _asked(dag), found), *contradictions(dag, found)]
    return sorted({finding.file for finding in every if finding.what == "an orphan"})


def _manifest(folder: Path, found: dict[str, str], report: Report, expected: str | None) -> list[Finding]:
    if not (folder / MANIFEST).is_file():
        read_manifest(folder)
    try:
        listed = read_manifest(folder)
    except UserError:
        return [Finding(MANIFEST, "changed", "it does not have the sha256 that it states, or another form")]
    report.digest = digest(listed)
    gone = left_out(folder)
    if gone:
        report.notes.append(f"not checked: {len(gone)} files that this copy leaves out, as its manifest says")
    findings = differences(folder, found)
    if expected is not None and expected != report.digest:
        findings.append(Finding(MANIFEST, "changed", f"its digest is {report.digest}, not {expected}"))
    return findings


def _missing(dag: Dag, asked: set[str], found: dict[str, str]) -> list[Finding]:
    """Files that the grid asks for and that the manifest doesn't leave out."""
    missing = sorted(asked - found.keys() - set(_left_out(dag.root)))
    return [Finding(name, "missing", "the grid asks for it") for name in missing]


def _left_out(folder: Path) -> list[str]:
    try:
        return left_out(folder)
    except UserError:
        return []


def _asked(dag: Dag) -> set[str]:
    blocks = [dag.block_folder(block) / name for block in dag.blocks for name in files.OUTPUTS]
    records = [dag.bundle_folder(bundle) / files.BUNDLE for bundle in dag.bundles]
    return {name_in(dag.root, path) for path in [*map(Path, dag.all_results()), *blocks, *records]}


def _orphans(dag: Dag, asked: set[str], found: dict[str, str]) -> list[Finding]:
    """Values kept in the folders of blocks are looked at one by one, among the records."""
    kept = {name_in(dag.root, dag.block_folder(block) / METRICS) for block in dag.blocks}
    return [
        Finding(name, "an orphan", "no rule of this grid makes it")
        for name in found
        if name not in asked and not (name.endswith(".json") and name.rpartition("/")[0] in kept)
    ]


def _code(dag: Dag, report: Report, matters: bool) -> None:
    try:
        other = list(other_code(dag))
    except UserError as error:
        report.notes.append(f"not checked: code, since {_sentence(error)}")
        return
    if matters or not other:
        report.add(CODE, other)
    else:
        report.notes.append(f"other code: {len(other)} records name another version of the code than the present one")
        report.notes += [f"other code: {finding.file}, {finding.detail}" for finding in other]


def _merged(findings: list[Finding]) -> list[Finding]:
    """Sorted, one for each file and problem."""
    merged: dict[tuple[str, str], Finding] = {}
    for finding in sorted(findings):
        merged[finding.file, finding.what] = finding  # the last has a detail if any has
    return list(merged.values())


def _sentence(error: Exception) -> str:
    return str(error).rstrip(".")
