"""A project with as many runs as one likes, and a stub of their results: what planning them costs needs no training."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bench.project import copy_project
from wgpipe.dag import Dag
from wgpipe.resolve import Resolved
from wgpipe.train import files

SCALE, STUDY = "many", "vanilla_rates"
DATASETS = 25
SLOT = 8
METRICS = ("w1", "energy", "spread")


def write_project(folder: Path, recipes: int, slots: int) -> None:
    """25 datasets × these recipes and real data × these slots of eight seeds, each run of two seconds, in one study."""
    copy_project(folder)
    file = folder / "config" / "studies" / f"{STUDY}.yaml"
    study: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    added = {f"recipe-{k}": {"method": {"name": "wgan"}, "constraint": {"name": "lp"}} for k in range(recipes)}
    for k, recipe in enumerate(added.values()):
        recipe["training"] = {"critic_rate": 0.001 + 0.00001 * k}
    study["recipes"] |= added
    study |= {"controls": ["oracle"], "metrics": {name: {} for name in METRICS}}
    data = {"families": ["cube"], "intrinsic": [1, 2, 3, 4, 5], "ambient": [1, 2, 3, 4, 5]}
    study["scales"] = {
        **{scale: {**given, "metrics": {}} for scale, given in study["scales"].items()},
        SCALE: {
            "training": {"steps": 100, "batch": 32},
            "metrics": {name: {"real": 64, "generated": 64} for name in METRICS},
            "grid": [{"planted": data, "recipes": list(added), "n": [64]}],
        },
    }
    file.write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    overlay = {"scale": SCALE, "studies": [STUDY], "seeds": [f"0-{SLOT * slots - 1}"], "slot": SLOT}
    (folder / "config" / f"{SCALE}.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")


def write_results(root: Path) -> None:
    """Every file that the present code would have made in results/many, empty but for what planning reads."""
    resolved = json.loads((root / "config" / "resolved.json").read_text(encoding="utf-8"))
    dag = Dag(Resolved.from_json(resolved), root)
    for bundle, blocks in dag.bundles.items():
        code = dag.training_code(bundle.dataset, bundle.recipe)
        for block in blocks:
            folder = dag.block_folder(block)
            folder.mkdir(parents=True, exist_ok=True)
            for name in files.OUTPUTS:
                (folder / name).touch()
            (folder / files.RUN).write_text(json.dumps({"code": code}), encoding="utf-8")
    codes = {str(dag.measures_record(*pair)): dag.measuring_code(*pair) for pair in dag.pairs()}
    codes[str(dag.study_record(STUDY))] = next(_study_codes(dag))
    for file in map(Path, [*dag.prepared(), *dag.all_results(), str(dag.root / "manifest.json")]):
        if not file.is_relative_to(dag.config_folder()):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"code": codes.get(str(file), "")}), encoding="utf-8")


def _study_codes(dag: Dag) -> Iterator[str]:
    from wgpipe.identity import study_code

    for study in dag.resolved.studies:
        yield study_code(study)


if __name__ == "__main__":
    write_results(Path("results") / SCALE)
