"""Tables, figures and claims of `coulomb_images`, from runs whose numbers are known by construction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats

from tests.studies.image_runs import COMPARABLE, PAPER, SMALL, fids, image_runs, pictures
from tests.studies.written import row_of, table
from wgpipe import registry
from wgpipe.citations import known
from wgpipe.config import Config, Study
from wgpipe.resolve import check_study, study_recipes
from wgpipe.settings import read_yaml, validated
from wgpipe.studies import style
from wgpipe.studies.claims import ClaimRow, judge_claims
from wgpipe.studies.coulomb_images import CoulombImages
from wgpipe.studies.image_claims import MEASURES
from wgpipe.studies.image_runs import extractors, published, published_fid, with_floors_of_equal_size

FILE = Path(__file__).parents[2] / "config" / "studies" / "coulomb_images.yaml"
REPORT = Path(__file__).parents[2] / "workflow" / "report" / "coulomb_images"
DRAWN, FROM_RUNS = {"samples", "neighbours"}, {"scores", "checks"}
TABLES = {"scores", "details", "checks", "runs", "protocols"}
KINDS = ("pdf", "svg", "png")
FILES = {f"{name}.{kind}" for name in DRAWN | FROM_RUNS for kind in KINDS}
FILES |= {f"{name}.csv" for name in TABLES} | {"scores.tex"}
OURS = "mnist-14x14 fid[classifier-1a2b3c4d,n=2000,test]"


@pytest.fixture(scope="module")
def settings() -> Study:
    return validated(Study, read_yaml(FILE), FILE.name)


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return image_runs(diverged=lambda recipe, seed: recipe == "began_images" and seed == 2)


def build(settings: Study, runs: pd.DataFrame, folder: Path, **drawn: Any) -> list[ClaimRow]:
    rows = CoulombImages().build(settings, runs, folder)
    CoulombImages().draw_pictures(settings, pictures(**drawn), folder)
    return rows


@pytest.fixture(scope="module")
def folder(settings: Study, runs: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "coulomb_images"
    assert [row.id for row in build(settings, runs, out)] == list(settings.claims)
    return out


def claim(settings: Study, name: str, runs: pd.DataFrame) -> ClaimRow:
    (only,) = judge_claims(settings.model_copy(update={"claims": {name: settings.claims[name]}}), MEASURES, runs)
    return only


def test_every_table_and_figure_is_written_and_nothing_else(settings: Study, folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES
    assert (set(settings.tables), set(settings.latex)) == (TABLES, {"scores"})
    assert set(settings.figures) == DRAWN | FROM_RUNS
    assert {path.stem for path in REPORT.iterdir()} == DRAWN | FROM_RUNS | {f"{name}_table" for name in TABLES}
    for given in settings.claims.values():
        assert given.figure in settings.figures
        assert given.table in settings.tables


def test_a_second_build_gives_the_same_bytes_whatever_the_order_of_rows(
    settings: Study, runs: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    with mpl.rc_context({"font.size": 20}):
        CoulombImages().build(settings, runs.sample(frac=1, random_state=np.random.default_rng(5)), tmp_path)
        CoulombImages().draw_pictures(settings, pictures()[::-1], tmp_path)
    for name in sorted(FILES):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_figures_have_a_papers_width(folder: Path) -> None:
    for name in DRAWN | FROM_RUNS:
        with Image.open(folder / f"{name}.png") as image:
            assert image.width == 1400, name


def test_scores_stand_in_the_papers_form_with_real_data_first_and_published_ones_apart(folder: Path) -> None:
    rows = table(folder, "scores")
    assert [row["method"] for row in rows[:3]] == ["real data", "coulomb_images", "wgan-gp_images"]
    values = 20 * (1 + 0.02 * np.cos(3 * np.arange(3) + len("fid")))
    reach = stats.t.ppf(0.975, 2) * values.std(ddof=1) / 3**0.5
    assert float(rows[1][OURS]) == pytest.approx(values.mean(), rel=1e-5)
    assert float(rows[1][f"{OURS}_high"]) == pytest.approx(values.mean() + reach, rel=1e-5)
    ours = [name for name in rows[0] if name.partition(" ")[0] in SMALL]
    theirs = [name for name in rows[0] if name.startswith("published: ")]
    assert len(rows[0]) == 1 + len(ours) + len(theirs)
    assert not any("inception" in name for name in ours)
    assert all(name.endswith(COMPARABLE) for name in theirs)
    by_method = {row["method"]: row for row in rows}
    assert by_method["wgan-gp_ttur"][f"published: CelebA {COMPARABLE}"] == "4.2"
    assert by_method["wgan-gp_images"][f"published: LSUN bedrooms {COMPARABLE}"] == "20.5"
    assert by_method["mmd-gan_images"][f"published: CelebA {COMPARABLE}"] == ""


def test_a_score_as_published_has_a_column_that_says_so(settings: Study, tmp_path: Path) -> None:
    build(settings, image_runs(datasets=PAPER, protocol=COMPARABLE), tmp_path)
    assert f"celeba-64x64 {COMPARABLE}" in table(tmp_path, "scores")[0]


def test_published_scores_are_in_the_published_order_where_the_claim_looks() -> None:
    for dataset in ("CelebA", "LSUN bedrooms"):
        found = [published(name, dataset) for name in ("wgan-gp_images", "coulomb_images", "dcgan", "began_images")]
        assert found == sorted(found)
    assert len(published_fid()) == 7 + 7 + 5
    assert published("coulomb_images", "CIFAR-10") == 27.3
    assert np.isnan(published("began_images", "CIFAR-10"))


def test_details_have_the_floor_and_count_failures(folder: Path) -> None:
    row = row_of(folder, "details", dataset="mnist-14x14", recipe="began_images", score="fid")
    assert (row["seeds"], row["failed"], row["floor"]) == ("2", "1", "1")
    assert row["protocol"] == OURS.partition(" ")[2]


def test_the_extractor_of_most_data_comes_first_behind_the_published_one() -> None:
    few, many = image_runs(datasets=SMALL[:1]), image_runs(protocol="fid[efflite0-57934424,n=2000,test]")
    assert extractors(pd.concat([few, many])) == ["efflite0", "classifier"]
    both = pd.concat([few, many, image_runs(datasets=PAPER[:1], protocol=COMPARABLE)])
    assert extractors(both) == ["inception", "efflite0", "classifier"]


def test_a_floor_of_fewer_images_is_none_of_the_others() -> None:
    runs = image_runs()
    fewer = (runs["recipe"] == "oracle") & (runs["dataset"] == SMALL[0]) & runs["metric"].str.startswith("fid")
    runs.loc[fewer, "protocol"] = "fid[classifier-1a2b3c4d,real=2000,generated=500,train]"
    kept = with_floors_of_equal_size(runs)
    assert set(runs.index) - set(kept.index) == set(runs.index[fewer])


def test_the_latex_table_has_the_best_trained_method_of_each_column_in_bold(folder: Path) -> None:
    lines = (folder / "scores.tex").read_text(encoding="utf-8").splitlines()
    bold = [line for line in lines if r"\mathbf" in line]
    assert [line.partition(" & ")[0] for line in bold] == ["wgan-gp\\_images"]
    assert bold[0].count(r"\mathbf") == 2
    columns = lines[2].removeprefix(r"\begin{tabular}{").rstrip("}")
    assert all(line.count(" & ") == len(columns) - 1 for line in lines if line.endswith(r"\\"))


REVERSED = {"wgan-gp_images": 40.0, "coulomb_images": 30.0, "dcgan": 20.0, "began_images": 10.0}
AS_PUBLISHED = {"datasets": PAPER, "protocol": COMPARABLE}
NOT_50000 = {"datasets": PAPER, "protocol": "fid[inception-6726825d,n=2000,train]"}


def flat(value: float) -> Any:
    return lambda data, recipe: value


def but_copies(value: float) -> Any:
    return lambda data, recipe: 0.0 if recipe == "empirical" else value


def by_seed(recipe: str, wrong: int) -> Any:
    return lambda made, seed: made == recipe and seed == wrong


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("cou-image", AS_PUBLISHED, "supported"),
    ("cou-image", {**AS_PUBLISHED, "laws": {"fid": fids(REVERSED)}}, "contradicted"),
    ("cou-image", NOT_50000, "inconclusive"),
    ("cou-image", {}, "inconclusive"),
    ("cou-image", {**AS_PUBLISHED, "diverged": by_seed("dcgan", 0), "seeds": range(4)}, "supported"),
    ("cou-image", {**AS_PUBLISHED, "diverged": lambda recipe, seed: recipe == "dcgan"}, "inconclusive"),
    ("cou-image-small", {}, "supported"),
    ("cou-image-small", {"laws": {"fid": fids(REVERSED)}}, "contradicted"),
    ("cou-image-small", {"laws": {"fid": fids({"coulomb_images": 8.0})}}, "supported"),  # five of six pairs agree
    ("cou-image-small", AS_PUBLISHED, "inconclusive"),
    ("cou-modes-images", {"noise": 0.001}, "supported"),
    ("cou-modes-images", {"laws": {"classes_balanced": flat(6.0)}}, "contradicted"),
    ("cou-modes-images", {"laws": {"classes_balanced": flat(9.0)}}, "inconclusive"),
    ("cou-support-images", {}, "supported"),
    ("cou-support-images", {"laws": {"image_birthday_support": flat(4e4)}}, "contradicted"),
    ("cou-support-images", {"laws": {"image_birthday_support": flat(2e5)}}, "inconclusive"),
    ("cou-memorise-images", {}, "supported"),
    ("cou-memorise-images", {"laws": {"pixel_neighbour_ratio": but_copies(0.4)}}, "contradicted"),
    ("cou-memorise-images", {"laws": {"feature_neighbour_ratio": but_copies(0.4)}}, "contradicted"),
    ("cou-memorise-images", {"laws": {"feature_neighbour_ratio": but_copies(0.9)}}, "inconclusive"),
]


@pytest.mark.parametrize(("name", "law", "verdict"), CASES, ids=[f"{name} {verdict}" for name, _, verdict in CASES])
def test_runs_of_a_known_law_get_the_right_verdict(
    settings: Study, name: str, law: dict[str, Any], verdict: str
) -> None:
    found = claim(settings, name, image_runs(**law))
    assert found.verdict == verdict, found.reason


def test_an_order_that_changes_with_the_seed_decides_nothing(settings: Study) -> None:
    made = image_runs()
    turned = (made["seed"] == 1) & (made["metric"] == "fid:classifier") & (made["recipe"] != "oracle")
    made.loc[turned, "value"] = 200 - made.loc[turned, "value"]
    found = claim(settings, "cou-image-small", made)
    assert found.estimate == pytest.approx((1 - 1 + 1) / 3)
    assert (found.verdict, found.reason.partition(" ")[0]) == ("inconclusive", "Kendall's")


def test_the_order_is_kendalls(settings: Study) -> None:
    found = claim(settings, "cou-image-small", image_runs(laws={"fid": fids({"coulomb_images": 8.0})}))
    assert found.estimate == pytest.approx((5 - 1) / 6)
    assert "neither the paper's data nor its score" in found.reason
    assert "mnist-14x14: coulomb_images 7.95, wgan-gp_images" in found.reason


def test_no_score_stands_for_that_of_the_paper(settings: Study) -> None:
    for given in ({}, NOT_50000):
        reason = claim(settings, "cou-image", image_runs(**given)).reason
        assert (
            reason == f"missing: no run has {COMPARABLE} on CelebA and LSUN bedrooms, and no other score stands for it"
        )


@pytest.mark.parametrize(
    ("name", "laws", "why"),
    [
        ("cou-image-small", {"fid": fids({"gaussian_images": 5.0})}, "the best method has an FID of 15"),
        ("cou-image-small", {"fid": fids({**REVERSED, "gaussian_images": 5.0})}, "the best method has an FID of 15"),
        ("cou-modes-images", {"confident": flat(0.3)}, "the classifier is sure of 30% of the images"),
        ("cou-support-images", {"confident": flat(0.3)}, "the classifier is sure of 30% of the images"),
        (
            "cou-memorise-images",
            {"pixel_neighbour_ratio": flat(0.9), "feature_neighbour_ratio": flat(0.9)},
            "copies have a ratio of 0.9",
        ),
    ],
)
def test_no_verdict_rests_on_a_protocol_whose_control_fails(
    settings: Study, name: str, laws: dict[str, Any], why: str
) -> None:
    found = claim(settings, name, image_runs(laws=laws, noise=0.001))
    assert found.verdict == "inconclusive"
    assert found.reason.startswith(f"unfit: {why}")
    assert np.isfinite(found.estimate)


def test_every_claim_is_measured(settings: Study) -> None:
    assert list(settings.claims) == list(MEASURES)
    assert {name for name, _, _ in CASES} == set(MEASURES)


@pytest.mark.parametrize("name", list(MEASURES))
def test_a_claim_with_few_seeds_or_no_runs_is_inconclusive_with_a_reason(settings: Study, name: str) -> None:
    few = image_runs(seeds=range(2), **(AS_PUBLISHED if name == "cou-image" else {}))
    none = image_runs().iloc[:0]
    assert claim(settings, name, few).verdict == claim(settings, name, none).verdict == "inconclusive"
    assert claim(settings, name, few).reason.startswith("few seeds")
    assert claim(settings, name, none).reason.startswith("missing: ")


def test_the_space_in_which_images_are_nearer_decides_and_both_are_told(settings: Study) -> None:
    found = claim(
        settings, "cou-memorise-images", image_runs(laws={"feature_neighbour_ratio": but_copies(0.95)}, noise=0)
    )
    assert found.estimate == pytest.approx(0.95)
    assert "pixels 1 [1, 1]; features 0.95 [0.95, 0.95]" in found.reason


def test_only_data_where_copies_are_found_out_count(settings: Study) -> None:
    def ratio(data: str, recipe: str) -> float:
        return (0.0 if data == SMALL[0] else 0.9) if recipe == "empirical" else 1.0 if data == SMALL[0] else 0.7

    made = image_runs(laws=dict.fromkeys(("pixel_neighbour_ratio", "feature_neighbour_ratio"), ratio), noise=0)
    found = claim(settings, "cou-memorise-images", made)
    assert (found.verdict, found.estimate) == ("supported", 1.0)
    assert f"mean over coulomb_images on {SMALL[0]};" in found.reason
    without = claim(settings, "cou-memorise-images", made[made["recipe"] != "empirical"])
    assert without.reason.startswith("unfit: no run of the control empirical, which copies")


def test_a_seed_without_one_method_has_no_order(settings: Study) -> None:
    made = image_runs(seeds=range(20), diverged=by_seed("dcgan", 7))
    found = claim(settings, "cou-image-small", made)
    assert (found.verdict, found.seeds) == ("supported", 19)
    assert "2 of 160 runs failed, and their seeds are left out" in found.reason


def test_samples_show_each_method_in_its_row_and_real_data_first(folder: Path) -> None:
    text = (folder / "samples.svg").read_text(encoding="utf-8")
    shown = ["real data", "coulomb_images", "wgan-gp_images", "gaussian_images"]
    places = [text.index(f"<!-- {name} -->") for name in shown]
    assert places == sorted(places)
    assert "<!-- empirical -->" not in text
    assert "<!-- mnist-14x14, n = 10000, seed 0 -->" in text


def test_without_features_the_nearest_in_pixels_stand_alone(settings: Study, tmp_path: Path) -> None:
    CoulombImages().draw_pictures(settings, pictures(features=False, shape=(3, 8, 8)), tmp_path)
    text = (tmp_path / "neighbours.svg").read_text(encoding="utf-8")
    assert "<!-- in pixels -->" in text
    assert "<!-- in features -->" not in text


@pytest.mark.parametrize("keep", ["nothing", "lost", "one"])
def test_missing_runs_make_panels_that_say_so(settings: Study, keep: str, tmp_path: Path) -> None:
    made, drawn = image_runs(), pictures()
    if keep == "nothing":
        made, drawn = made.iloc[:0], []
    elif keep == "lost":
        made = made.assign(status="diverged", value=np.nan, excess=np.nan)
    else:
        made, drawn = made[(made["recipe"] == "dcgan") & (made["dataset"] == SMALL[0])], drawn[3:4]
    rows = CoulombImages().build(settings, made, tmp_path)
    CoulombImages().draw_pictures(settings, drawn, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    assert {found.verdict for found in rows} == {"inconclusive"}
    sentences = {"scores": "no finished run has an image score", "checks": "no finished run has features of images"}
    if keep == "nothing":
        sentences |= dict.fromkeys(DRAWN, "no image was generated")
    for name, sentence in sentences.items() if keep != "one" else ():
        assert f"<!-- {sentence}" in (tmp_path / f"{name}.svg").read_text(encoding="utf-8"), name


def test_every_recipe_has_a_look_of_its_own(settings: Study) -> None:
    assert set(style.LOOKS) >= {*settings.recipes, *settings.controls}
    looks = [style.look(name) for name in settings.recipes]
    assert len(set(looks)) == len(looks)


@pytest.mark.parametrize("scale", ["smoke", "quick", "full"])
def test_the_settings_are_valid_at_every_scale(settings: Study, scale: str) -> None:
    config = Config(scale=scale, studies=["coulomb_images"], seeds=["0-7"])
    check_study(settings, config, FILE)
    for recipe in study_recipes(settings, config, FILE).values():
        for side in (recipe.generator, recipe.critic):
            assert side is None or side.build("net")


def test_the_quick_grid_holds_every_recipe_that_a_claim_compares(settings: Study) -> None:
    used = {name for part in settings.scales["quick"].grid for name in part.recipes}
    for given in settings.claims.values():
        assert used.issuperset({*given.recipes} - {*settings.controls})


def test_the_study_is_registered_under_the_name_of_its_file_and_cites_what_is_known(settings: Study) -> None:
    study = registry.load("study", settings.study)
    assert study.registered_name == FILE.stem == settings.study
    assert {*study.cites, *settings.cites} <= set(known())
