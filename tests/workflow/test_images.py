"""What looks at images is made anew with the network that looks, and no generator is trained again."""

from __future__ import annotations

import shutil

from tests.conftest import edit_yaml
from tests.extractors import stripes
from tests.workflow.conftest import STUDY, Pipeline

MEASURES = "results/smoke/measures/stripes/oracle.parquet"
SMALL = {"extractors": ["classifier"], "real": 64, "generated": 64, "kid_subset": 32, "kid_subsets": 2}


def test_editing_the_classifiers_code_remakes_its_weights_features_and_what_looks_at_them(pipeline: Pipeline) -> None:
    shutil.copy(stripes.__file__, pipeline.folder / "stripes.py")
    edit_yaml(pipeline.folder / "config/smoke.yaml", "datasets", "stripes", value="./stripes.py")
    grid = [{"datasets": ["stripes"], "recipes": ["wgan-lp"], "n": [16]}]
    edit_yaml(pipeline.folder / STUDY, "scales", "smoke", "grid", value=grid)
    edit_yaml(pipeline.folder / STUDY, "metrics", value={"energy": {}, "image_scores": SMALL})
    small = {"energy": {"real": 32, "generated": 32}}
    edit_yaml(pipeline.folder / STUDY, "scales", "smoke", "metrics", value=small)
    pipeline.snakemake(MEASURES)
    pipeline.edit("wgpipe/extractors/classifier_training.py", "RATE = 3e-3", "RATE = 2e-3")
    assert pipeline.planned(MEASURES) == {
        ("classifier", "dataset=stripes"),
        ("features", "dataset=stripes, network=classifier"),
        ("measure", "dataset=stripes, recipe=oracle"),
    }
