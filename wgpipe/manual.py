"""The manual of the configuration and its JSON schemas, written from the models that check it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Template
from typing import Any

from pydantic import BaseModel

from wgpipe.atomic import atomic
from wgpipe.config import Claim, Config, GridPart, Pictures, PlantedFamilies, Study, StudyScale
from wgpipe.errors import UserError
from wgpipe.recipe import Piece, Recipe, Training
from wgpipe.stats.claim_test import ClaimTest

CONFIG = Path("config")
MANUAL = CONFIG / "README.md"
SCHEMAS: dict[Path, type[BaseModel]] = {
    Path("workflow/schemas/config.schema.json"): Config,
    Path("workflow/schemas/study.schema.json"): Study,
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"
LIMITS = {
    "exclusiveMinimum": "> ",
    "minimum": "≥ ",
    "exclusiveMaximum": "< ",
    "maximum": "≤ ",
    "multipleOf": "a multiple of ",
}
TYPES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false", "null": "null"}
MODELS = (Config, Study, Pictures, StudyScale, GridPart, PlantedFamilies, Recipe, Piece, Training, Claim, ClaimTest)

PAGE = Template("""\
# The configuration

Every key of `config/*.yaml` and `config/studies/*.yaml`. The tables are written by `wgpipe docs` from the models that
check a configuration (`wgpipe/config.py`, `wgpipe/recipe.py`), so they are complete.

## How a configuration is put together

`config/config.yaml` is the quick scale, and the base of everything else. Files given after it are laid over it:
mappings are merged key by key, everything else, lists too, is replaced. Single settings go on top of all files.

| command | files | settings on top |
|---|---|---|
| `make figures SCALE=smoke` | `config/config.yaml`, `config/smoke.yaml` (quick: the first alone) | `MIRROR=../mirror` |
| `snakemake --profile profiles/local --configfile config/smoke.yaml` | the same | `--config threads=2` |
| `wgpipe plan config/smoke.yaml` | the same | `--set threads=2` |

So a scale of your own is a file such as `config/mine.yaml`, run by `make figures SCALE=mine`:

```yaml
scale: mine
seeds: [0-15]
```

`scale` names the folder `results/mine`, and every study must have a section `mine` under `scales`, which says what it
runs. `wgpipe check config/mine.yaml` checks all of it and writes nothing; `wgpipe plan config/mine.yaml` counts runs
and jobs, gives the reason of every exclusion, and predicts the cost. An unknown key or name is an error.

Seeds are trained in whole slots: with `slot: 8`, seeds 0-7 are one block, 8-15 the next. Asking for more slots, sample
sizes, recipes or datasets trains what is new and leaves the rest as it is. Write rates as `0.0005`: YAML reads `5e-4`
as text.

$Config

### Downloads

Every download is looked for in the folder `mirror` first, under the host and the path of its URL: for
`https://data.example.org/sets/points.gz` in `<mirror>/data.example.org/sets/points.gz`. Its content is checked either
way. A machine without a network needs such a folder only for datasets that are downloaded: `wgpipe list datasets`.

```yaml
mirror: ../mirror
```

The hosts of CelebA and LSUN do not let a program download. Put `img_align_celeba.zip` and `list_eval_partition.txt` of
CelebA, and of LSUN the folder `bedroom_train_lmdb`, a folder `lsun_bedroom` of exported pictures, or a
`lsun_bedroom.zip` of them, into a folder of your own, or links to them. CelebA is checked by its publisher's md5. LSUN
has no checksum: size and sha256 are recorded on first use, in `results/downloads/first_use`, and other data are refused
from then on, until that record is deleted.

```yaml
placed: /data/images
```

Image scores by Inception-v3 need `weights-inception-2015-12-05-6726825d.pth`. It is downloaded where there is a
network; otherwise put it into the folder `placed` or, under its URL, into the folder `mirror`. Its sha256 is checked
before anything reads it. The other extractors (`wgpipe list extractors`) need no download.

### Pieces of your own

`methods`, `constraints`, `nets`, `datasets` and `metrics` name .py files of your own, relative to the folder in which
the command runs. Each file registers a class under the name given here, which must be new; the README of the project
has a complete example. From then on the name can be used like any other.

```yaml
methods: {hinge: ./mine.py}
```

$Study

```yaml
study: vanilla_rates
title: Convergence rates of vanilla and Wasserstein GANs
defaults:
  generator: {name: mlp, hidden: [64, 64]}
  critic: {name: mlp, hidden: [64, 64]}
recipes:
  wgan-lp: {method: {name: wgan}, constraint: {name: lp, weight: 0.5}}
  wgan-lp_32: {method: {name: wgan}, constraint: {name: lp, weight: 0.5}, critic: {hidden: [32, 32]}}
controls: [oracle, empirical]
metrics:
  w1: {real: 2048, generated: 2048}
scales:
  mine:
    training: {steps: 500}
    grid:
      - {datasets: [digits], recipes: [wgan-lp, wgan-lp_32], n: [64, 256]}
```

$StudyScale

$GridPart

A shape that has no room in its space, such as a sphere of dimension 2 in the plane, is an exclusion, and `wgpipe plan`
gives the reason. Any other name that does not exist is an error.

$PlantedFamilies

$Pictures

$Recipe

Each recipe of a study is merged from three layers: the study's `defaults`, the recipe itself, and under `training` what
the scale says. A mapping given twice is merged key by key, so put pieces whose settings differ into the recipes only.

$Piece

$Training

$Claim

```yaml
statement: The exponent with 2d* for vanilla GANs is loose.
prediction: slope of the vanilla GAN = slope of the Wasserstein GAN
grade: DERIVED
source: hypothesis of this project
recipes: [vanilla-lp, wgan-lp]
test: {test: equal, bound: 0, band: 0.05, min_seeds: 8}
figure: rates
table: rates
```

$ClaimTest
""")


def pages() -> dict[Path, str]:
    """Content of the manual and of each schema, by their paths in the project."""
    schemas = {
        file: json.dumps({"$schema": DIALECT, **model.model_json_schema()}, indent=2, ensure_ascii=False) + "\n"
        for file, model in SCHEMAS.items()
    }
    return {MANUAL: _manual(), **schemas}


def write_pages() -> list[Path]:
    """Write them below the current folder; `UserError` if that is not the project's root."""
    if not CONFIG.is_dir():
        raise UserError(f"{CONFIG} is not a folder here; accepted: the root of a checkout of wgpipe as current folder.")
    written = pages()
    for file, text in written.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic(file) as path:
            path.write_text(text, encoding="utf-8")
    return list(written)


def _manual() -> str:
    return PAGE.substitute({model.__name__: _section(model) for model in MODELS})


def _section(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    return f"## {_heading(model.__name__)}\n\n{schema['description']}\n\n{_table(schema)}"


def _heading(name: str) -> str:
    """`GridPart` -> `Grid part`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _table(schema: dict[str, Any]) -> str:
    rows = [
        f"| `{key}` | {type_of(value)} | {default_of(value, schema)} | {value['description']} |"
        for key, value in schema["properties"].items()
    ]
    return "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows])


def type_of(value: dict[str, Any]) -> str:
    """A JSON schema in words."""
    match value:
        case {"$ref": str(reference)}:
            return _link(reference.rpartition("/")[2])
        case {"anyOf": options}:
            return " or ".join(type_of(option) for option in options)
        case {"enum": options}:
            return " or ".join(f"`{option}`" for option in options)
        case {"type": "array", "prefixItems": items}:
            return f"list ({', '.join(type_of(item) for item in items)})"
        case {"type": "array", "items": item}:
            return f"list ({type_of(item)})" + (", not empty" if "minItems" in value else "")
        case {"type": "object", "additionalProperties": dict(item)}:
            return f"name → {type_of(item)}" + (", not empty" if "minProperties" in value else "")
        case {"type": "object"}:
            return "settings"
    limits = [f"{sign}{value[key]}" for key, sign in LIMITS.items() if key in value]
    return " ".join([TYPES[value["type"]], ", ".join(limits)]).strip()


def _link(name: str) -> str:
    heading = _heading(name).lower()
    return f"[{heading}](#{heading.replace(' ', '-')})"


def default_of(value: dict[str, Any], schema: dict[str, Any]) -> str:
    """A default as YAML; that of a whole model is not repeated if its keys have the same ones."""
    if "default" not in value:
        return "required"
    default = value["default"]
    if "$ref" in value:
        keys = schema["$defs"][value["$ref"].rpartition("/")[2]]["properties"]
        if default == {key: item.get("default") for key, item in keys.items()}:
            return "its defaults"
    return f"`{default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)}`"
