"""A results folder in one file that can be handed on: with configuration, code, lock, manifests and an RO-Crate.

The same folder gives the same bytes (with the same zlib): members are sorted and have no time. An unpacked archive is a
project: its results lie in results/<scale> beside the Snakefile, the configuration and the package that made them.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path, PurePosixPath

from wgpipe.atomic import atomic
from wgpipe.audit import crate, provenance
from wgpipe.audit import manifest as manifests
from wgpipe.audit.fingerprint import PACKAGE
from wgpipe.audit.folder import CRATE, OWN, belongs_here, open_folder, outside, project_of
from wgpipe.audit.manifest import MANIFEST, Finding, digest, held, read_manifest
from wgpipe.audit.verify import Report, verify
from wgpipe.dag import Dag
from wgpipe.errors import UserError
from wgpipe.hashes import sha256
from wgpipe.resolve import OWN_KINDS
from wgpipe.stored import reading
from wgpipe.train import files as names

MODELS = "*.safetensors"
PROJECT = (
    "Snakefile",
    "workflow/**/*",
    "config/**/*",
    "profiles/**/*",
    "environment.yml",
    "requirements.lock",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CITATION.cff",
)
CODE = ("*.py", "*.bib", "*.typed", "*.csv", "*.md")
BEGINNING = (1980, 1, 1, 0, 0, 0)  # the first time that a .zip can state
RESULTS = "results"


def write_archive(
    folder: Path, out: Path, models: bool = True, published: str | None = None, trusted: bool | None = None
) -> str:
    """Pack a results folder that is what its manifest says; a line about what was written.

    `UserError` if it is not, if it has no grid, or if nothing says when it was made.
    """
    trusted = belongs_here(folder) if trusted is None else trusted
    wrong = verify(folder, code_matters=False, trusted=trusted).findings
    if wrong:
        raise UserError(f"{folder} is not what it should be: {wrong[0]}; `wgpipe audit verify {folder}` says all.")
    dag = open_folder(folder, trusted)
    with tempfile.TemporaryDirectory(prefix="wgpipe-archive-") as scratch:
        stage = Path(scratch)
        members = _members(dag, models)
        for name, text in _texts(dag, models, published, list(members)):
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            (stage / name).write_text(text, encoding="utf-8")
            members[name] = stage / name
        _write_root_manifest(stage / MANIFEST, members)
        members[MANIFEST] = stage / MANIFEST
        with atomic(out) as path:
            _write_zip(path, members)
    report = verify_archive(out, trusted=trusted)
    if not report.passed:
        out.unlink()
        raise UserError(f"{out} is not what was to be written: {report.findings[0]}.")
    return f"{out}: {len(members)} files, sha256 {sha256(out)}; digest of the results {report.digest}"


def is_archive(path: Path) -> bool:
    """Whether a path is an archive, packed or not."""
    return path.suffix == ".zip" or (path / CRATE).is_file()


def verify_archive(
    path: Path, expected_digest: str | None = None, code_matters: bool | None = None, trusted: bool | None = None
) -> Report:
    """Check an archive, packed or not: its own list, its crate, and the results in it.

    Code of the user's own that it brings is run only if it is `trusted`.
    """
    asked = (expected_digest, bool(code_matters), bool(trusted))
    if path.is_dir():
        return replace(_verify_unpacked(path, *asked), folder=str(path))
    with tempfile.TemporaryDirectory(prefix="wgpipe-archive-") as scratch:
        try:
            with reading(path, "ask for it again"):
                _unpack(path, Path(scratch))
        except UserError as error:
            return Report(str(path), findings=[Finding(path.name, "changed", str(error))])
        report = _verify_unpacked(Path(scratch), *asked)
        notes = [note.replace(f"{scratch}/", "").replace(f"{Path(scratch).resolve()}/", "") for note in report.notes]
        return replace(report, folder=str(path), notes=notes)


def _verify_unpacked(root: Path, expected_digest: str | None, code_matters: bool, trusted: bool) -> Report:
    scales = sorted(path.parent for path in root.glob(f"{RESULTS}/*/{MANIFEST}"))
    if len(scales) != 1:
        return Report(str(root), findings=[Finding(RESULTS, "missing", "an archive has results of one scale")])
    report = verify(scales[0], expected_digest, code_matters, trusted)
    prefix = scales[0].relative_to(root).as_posix()
    findings = [replace(finding, file=f"{prefix}/{finding.file}") for finding in report.findings]
    findings += [
        Finding(name, "a link or no file", "what is there may lie elsewhere")
        for name in outside(root)
        if not name.startswith(f"{prefix}/")
    ]
    known = {finding.file for finding in findings}
    try:
        findings += [each for each in manifests.differences(root) if each.file not in known]
        files = len(read_manifest(root))
    except UserError:
        findings.append(Finding(MANIFEST, "changed", "it does not have the sha256 that it states, or is not there"))
        files = report.files
    findings += [Finding(CRATE, "inconsistent", problem) for problem in crate.problems(root)]
    return replace(report, findings=sorted(findings), files=files)


def _members(dag: Dag, models: bool) -> dict[str, Path]:
    """Names in the archive -> files, without those that are written for it."""
    project, top = project_of(dag.root), f"{RESULTS}/{dag.root.name}"
    found: dict[str, Path] = {}
    for pattern in PROJECT:
        found |= {path.relative_to(project).as_posix(): path for path in project.glob(pattern)}
    for pattern in CODE:
        found |= {path.relative_to(PACKAGE.parent).as_posix(): path for path in PACKAGE.rglob(pattern)}
    found |= _own_files(dag, project)
    for name in held(dag.root):
        if models or not PurePosixPath(name).match(MODELS):
            found[f"{top}/{name}"] = dag.root / name
    for pattern in (f"**/{provenance.FILE}", f"**/*.{provenance.FILE}", f"**/{names.COST}"):
        found |= {f"{top}/{path.relative_to(dag.root).as_posix()}": path for path in dag.root.glob(pattern)}
    return {name: path for name, path in sorted(found.items()) if _is_shown(name) and path.is_file()}


def _own_files(dag: Dag, project: Path) -> dict[str, Path]:
    """The user's own pieces, where the unpacked archive looks for them."""
    found = {}
    for kind in OWN_KINDS:
        for given in getattr(dag.resolved.config, f"{kind}s").values():
            path = Path(given).expanduser().resolve()
            inside = path.is_relative_to(project)
            found[path.relative_to(project).as_posix() if inside else f"{OWN}/{path.name}"] = path
    return found


def _is_shown(name: str) -> bool:
    return not any(part.startswith(".") or part == "__pycache__" for part in PurePosixPath(name).parts)


def _texts(dag: Dag, models: bool, published: str | None, members: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is written for the archive alone: the manifest of the results, and the crate."""
    top = f"{RESULTS}/{dag.root.name}"
    listed = read_manifest(dag.root)
    gone = [] if models else [name for name in listed if PurePosixPath(name).match(MODELS)]
    gone = sorted({*gone, *manifests.left_out(dag.root)})
    yield f"{top}/{MANIFEST}", manifests.written(listed, gone)
    began, ended = _times(dag)
    settings = [f"{top}/{Path(name).relative_to(dag.root).as_posix()}" for name in dag.configuration()]
    made = [
        *(file for study in dag.resolved.studies for file in dag.study_outputs(study)),
        *dag.ledger(),
        *dag.all_ranking(),
    ]
    results = [f"{top}/{Path(name).relative_to(dag.root).as_posix()}" for name in made]
    run = crate.Run(
        scale=dag.scale,
        published=_date(published, ended),
        settings=[name for name in settings if name in members],
        results=[*(name for name in results if name in members), f"{top}/{MANIFEST}"],
        folders=[f"{top}/{name}/" for name in ("data", "runs", "measures")],
        others=[name for name in members if not name.startswith((f"{RESULTS}/", "wgpipe/", "workflow/"))],
        digest=digest(listed),
        began=began,
        ended=ended,
    )
    yield CRATE, crate.written(run)


def _times(dag: Dag) -> tuple[str, str]:
    """When the first result was begun and the last was done, as far as provenance says; otherwise empty."""
    records = [provenance.read(file) for file in dag.root.rglob(f"*{provenance.FILE}")]
    began = [record["started"] for record in records if isinstance(record.get("started"), str)]
    ended = [record["finished"] for record in records if isinstance(record.get("finished"), str)]
    return min(began, default=""), max(ended, default="")


def _date(given: str | None, ended: str) -> str:
    text = given or ended[:10]
    if not text:
        raise UserError("no provenance says when these results were made; give --date YYYY-MM-DD.")
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UserError(f"--date {text} is no date; accepted: YYYY-MM-DD.") from None


def _write_root_manifest(file: Path, members: dict[str, Path]) -> None:
    """Of everything in the archive that a manifest lists."""
    listed = {
        name: {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for name, path in sorted(members.items(), key=lambda item: PurePosixPath(item[0]))
        if not any(PurePosixPath(name).match(pattern) for pattern in manifests.LEFT_OUT)
    }
    file.write_text(manifests.written(listed), encoding="utf-8")


def _write_zip(out: Path, members: dict[str, Path]) -> None:
    with zipfile.ZipFile(out, "w") as archive:
        for name, path in sorted(members.items()):
            info = zipfile.ZipInfo(name, BEGINNING)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system, info.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)


def _unpack(path: Path, out: Path) -> None:
    """Every member below `out`; `ValueError` for one that would lie elsewhere or is no plain file."""
    with zipfile.ZipFile(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
        if size > shutil.disk_usage(out).free:
            raise ValueError(f"it would fill {size} bytes, and {out.parent} has not as many")
        for info in archive.infolist():
            name = PurePosixPath(info.filename)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if (
                name.is_absolute()
                or ".." in name.parts
                or "\\" in info.filename
                or kind not in (0, stat.S_IFREG, stat.S_IFDIR)
            ):
                raise ValueError(f"member '{info.filename}' would lie outside the folder or is no file")
        archive.extractall(out)
