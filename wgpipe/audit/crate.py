"""The metadata of an archive: a Workflow Run RO-Crate (profile 0.5 on RO-Crate 1.1), written and read by `rocrate`.

Sources: https://w3id.org/ro/wfrun/process/0.5, https://w3id.org/ro/wfrun/workflow/0.5 and
https://w3id.org/workflowhub/workflow-ro-crate/1.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from wgpipe.audit.folder import CRATE
from wgpipe.errors import UserError
from wgpipe.stored import reading

WORKFLOW = "Snakefile"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
BIOSCHEMAS = "https://bioschemas.org/profiles"
PARAMETER = f"{BIOSCHEMAS}/FormalParameter/1.0-RELEASE"
COMPUTATIONAL = f"{BIOSCHEMAS}/ComputationalWorkflow/1.0-RELEASE"
MIT = "https://spdx.org/licenses/MIT"
TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".lock": "text/plain",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


@dataclass(frozen=True)
class Run:
    """What the crate says about a run. Names are paths in the archive; folders end with a slash.

    `began` and `ended`: UTC in ISO 8601, empty where no provenance says them.
    """

    scale: str
    published: str
    settings: Sequence[str]
    results: Sequence[str]
    folders: Sequence[str]
    others: Sequence[str]
    digest: str
    began: str = ""
    ended: str = ""


def written(run: Run) -> str:
    """The text of ro-crate-metadata.json; the same run gives the same bytes."""
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts = [TERMS]
    crate.metadata["conformsTo"] = [{"@id": SPECIFICATION}, {"@id": WORKFLOW_CRATE}]
    for identifier, (name, version) in PROFILES.items():
        _add(crate, identifier, "CreativeWork", name=name, version=version)
    root = crate.root_dataset
    root["conformsTo"] = [{"@id": identifier} for identifier in PROFILES]
    root["name"] = f"Results of wgpipe at scale {run.scale}"
    root["description"] = (
        "What the theory of (Wasserstein) GANs is worth: runs, measures, tables, figures and verdicts on claims, with"
        f" the configuration and code that made them. sha256 of the list of results in its manifest: {run.digest}."
    )
    root["datePublished"] = run.published
    root["license"] = _add(crate, MIT, "CreativeWork", name="MIT License", identifier="MIT")
    _add_workflow(crate)
    for name in dict.fromkeys([*run.settings, *run.results, *run.others]):
        _add_file(crate, name)
    for name in run.folders:
        crate.add_directory(dest_path=name, properties={"name": name.rstrip("/")})
    _add_run(crate, run)
    graph = sorted(crate.metadata.generate()["@graph"], key=lambda entity: entity["@id"] not in (CRATE, "./"))
    context = [f"{SPECIFICATION}/context", TERMS]
    return json.dumps({"@context": context, "@graph": graph}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def problems(folder: Path) -> Iterator[str]:
    """What an unpacked crate lacks of what the profiles require; nothing: it conforms."""
    try:
        with reading(folder / CRATE):
            found = list(_problems(folder))
    except UserError as error:
        found = [f"it cannot be read ({error})"]
    yield from found


def _problems(folder: Path) -> Iterator[str]:
    crate = ROCrate(folder)
    graph = json.loads((folder / CRATE).read_text(encoding="utf-8"))["@graph"]
    descriptor = crate.metadata
    root: dict[str, Any] = next(
        (entity for entity in graph if entity.get("@id") == "./"), {}
    )  # as written: rocrate fills in a date
    if {SPECIFICATION, WORKFLOW_CRATE} - _ids(descriptor.properties().get("conformsTo")):
        yield "its descriptor does not conform to RO-Crate 1.1 and Workflow RO-Crate 1.0"
    lacking = PROFILES.keys() - _ids(root.get("conformsTo"))
    yield from (f"its root does not conform to {identifier}" for identifier in sorted(lacking))
    for key in ("name", "description", "datePublished", "license"):
        if not root.get(key):
            yield f"its root has no {key}"
    if not _is_date(str(root.get("datePublished"))):
        yield "its datePublished is no date"
    workflow = crate.mainEntity
    if workflow is None or {"File", "SoftwareSourceCode", "ComputationalWorkflow"} - _types(workflow):
        yield "its main entity is no file with a computational workflow"
        return
    language = workflow.get("programmingLanguage")
    if language is None or isinstance(language, str) or "ComputerLanguage" not in _types(language):
        yield "its workflow has no programming language"
    actions = [entity for entity in crate.get_entities() if "CreateAction" in _types(entity)]
    if not any(action.get("instrument") == workflow for action in actions):
        yield "it has no action whose instrument is the workflow"
    for action in actions:
        for key in ("object", "result"):
            entities = action.get(key) or []
            if not entities or any(isinstance(each, str) for each in entities):
                yield f"its action has no {key} that the crate describes"
    for entity in crate.data_entities:
        path = (folder / unquote(entity.id)).resolve()
        if not path.is_relative_to(folder.resolve()):
            yield f"it names {entity.id}, which lies outside"
        elif not path.exists():
            yield f"it names {entity.id}, which is not there"


def _add_workflow(crate: ROCrate) -> None:
    version = metadata.version("snakemake")
    crate.add_workflow(dest_path=WORKFLOW, main=True, lang="snakemake", lang_version=version)
    workflow = crate.mainEntity
    workflow["name"] = "wgpipe"
    workflow["license"] = {"@id": MIT}
    workflow["version"] = metadata.version("wgpipe")
    workflow["conformsTo"] = _add(
        crate, COMPUTATIONAL, "CreativeWork", name="ComputationalWorkflow", version="1.0-RELEASE"
    )
    profile = _add(crate, PARAMETER, "CreativeWork", name="FormalParameter", version="1.0-RELEASE")
    for key, name in (("input", "configuration"), ("output", "results")):
        workflow[key] = _add(crate, f"#{name}", "FormalParameter", name=name, additionalType="File", conformsTo=profile)


def _add_file(crate: ROCrate, name: str) -> None:
    if name == WORKFLOW:
        return
    kind = TYPES.get(Path(name).suffix)
    crate.add_file(dest_path=name, properties={"name": name, **({"encodingFormat": kind} if kind else {})})


def _add_run(crate: ROCrate, run: Run) -> None:
    for names, parameter in ((run.settings, "#configuration"), (run.results, "#results")):
        for name in names:
            crate.get(name)["exampleOfWork"] = {"@id": parameter}
    times = {key: value for key, value in (("startTime", run.began), ("endTime", run.ended)) if value}
    action = _add(
        crate,
        "#run",
        "CreateAction",
        name=f"Run of wgpipe at scale {run.scale}",
        description="snakemake on the Snakefile, with the configuration named as objects of this action",
        instrument={"@id": WORKFLOW},
        object=[{"@id": name} for name in run.settings],
        result=[{"@id": name} for name in run.results],
        actionStatus="http://schema.org/CompletedActionStatus",
        **times,
    )
    crate.root_dataset["mentions"] = [action]


def _add(crate: ROCrate, key: str, kind: str, **properties: Any) -> ContextEntity:
    return crate.add(ContextEntity(crate, key, properties={"@type": kind, **properties}))


def _ids(value: Any) -> set[str]:
    items = value if isinstance(value, list) else [value]
    return {item["@id"] for item in items if isinstance(item, dict) and "@id" in item}


def _types(entity: Any) -> set[str]:
    kind = entity.type
    return {kind} if isinstance(kind, str) else set(kind)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True
