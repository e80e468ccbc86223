"""Image scores against closed forms, torch-fidelity as a whole, and what they must do under noise and blur."""

from __future__ import annotations

import functools
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch_fidelity
from safetensors.torch import save_file
from scipy.ndimage import gaussian_filter
from torch.utils.data import Dataset
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

from tests.blocks import control, job, prepared, trained
from tests.extractors import stripes
from wgpipe import registry
from wgpipe.data import FiniteDataset, dataset
from wgpipe.data.pixels import images
from wgpipe.errors import UserError
from wgpipe.extractors import Extractor, classifier_training, extractor
from wgpipe.extractors.classifier_training import write_classifier
from wgpipe.extractors.efflite0 import SOURCE
from wgpipe.extractors.extraction import Layers, extract
from wgpipe.extractors.reference import FeatureFiles, write_features
from wgpipe.fetch import fetch
from wgpipe.metrics import table
from wgpipe.metrics.image_scores import Comparison, ImageScores, inception_score
from wgpipe.metrics.table import COLUMNS, measure_block
from wgpipe.rng import stream
from wgpipe.settings import validated

CHANGES = {
    "noise": lambda pictures, level: pictures + 255 * level * stream("noise").standard_normal(pictures.shape),
    "blur": lambda pictures, level: gaussian_filter(pictures, (0, 0, 4 * level, 4 * level)),
}
LEVELS = (0.0, 0.15, 0.5)
COUNT = 320
SIZES = (80, 160, 320)


def settings(**more: Any) -> ImageScores:
    sizes = {"real": COUNT, "generated": COUNT, "kid_subset": 200, "kid_subsets": 5}
    return ImageScores.model_validate({"extractors": ["classifier"], **sizes, **more})


def normal(*key: str | int, size: tuple[int, int] = (COUNT, 8)) -> np.ndarray:
    return stream("scores", *key).standard_normal(size)


class TestClosedForms:
    def test_of_a_shift_the_frechet_distance_is_its_square(self) -> None:
        real = normal("real")
        assert Comparison(real, settings()).scores(real + 0.5)["fid"] == pytest.approx(8 * 0.25, rel=1e-6)

    def test_of_a_scale_it_is_that_of_normal_laws(self) -> None:
        """|s - 1|² tr Σ, when all is centred."""
        real = normal("real") - normal("real").mean(axis=0)
        expected = np.trace(np.cov(real, rowvar=False))
        assert Comparison(real, settings()).scores(2 * real)["fid"] == pytest.approx(expected, rel=1e-6)

    def test_it_is_never_below_zero(self) -> None:
        real = normal("real", size=(30, 60))
        assert 0 <= Comparison(real, settings()).fid(torch.from_numpy(real)) < 1e-5

    def test_the_kernel_distance_over_all_images_is_the_unbiased_estimate(self) -> None:
        real, fake = normal("real", size=(40, 6)), normal("fake", size=(40, 6)) + 0.3
        kernel = lambda x, y: (x @ y.T / 6 + 1) ** 3  # noqa: E731
        off = ~np.eye(40, dtype=bool)
        expected = kernel(real, real)[off].mean() + kernel(fake, fake)[off].mean() - 2 * kernel(real, fake).mean()
        found = Comparison(real, settings(kid_subset=40, kid_subsets=1)).kid(torch.from_numpy(fake))
        assert found == pytest.approx(expected, rel=1e-9)

    def test_precision_and_recall_of_a_generator_that_has_one_of_two_modes(self) -> None:
        half, other = normal("half"), normal("other") + 100
        one_mode = Comparison(np.concatenate([half, other]), settings()).scores(normal("fake", size=(2 * COUNT, 8)))
        assert one_mode["precision"] > 0.6
        assert one_mode["recall"] < 0.5
        too_much = Comparison(normal("more", size=(2 * COUNT, 8)), settings()).scores(np.concatenate([half, other]))
        assert too_much["precision"] < 0.5
        assert too_much["recall"] > 0.6

    def test_precision_is_that_of_the_definition(self) -> None:
        real, fake = normal("real", size=(60, 4)), 1.3 * normal("fake", size=(50, 4))
        inside = lambda points, centres: np.mean(  # noqa: E731
            [any(math.dist(x, c) <= sorted(math.dist(c, o) for o in centres)[3] for c in centres) for x in points]
        )
        scores = Comparison(real, settings(kid_subset=50)).precision_recall(torch.from_numpy(fake))
        assert scores["precision"] == pytest.approx(inside(fake, real), abs=1e-6)
        assert scores["recall"] == pytest.approx(inside(real, fake), abs=1e-6)

    def test_the_inception_score_counts_classes_that_are_certain(self) -> None:
        certain = np.eye(5)[np.arange(400) % 5] * 1e3
        assert inception_score(certain, 1) == pytest.approx(5, rel=1e-6)
        assert inception_score(np.zeros((400, 5)), 10) == pytest.approx(1)

    def test_of_features_that_are_not_finite_all_are_missing(self) -> None:
        lost = np.full((COUNT, 8), np.nan)
        assert all(map(math.isnan, Comparison(normal("real"), settings()).scores(lost).values()))
        assert math.isnan(inception_score(lost, 10))

    def test_precision_and_recall_look_at_some_images_only(self) -> None:
        real, fake = normal("real"), normal("fake")
        few = Comparison(real, settings(reach_images=50)).scores(fake)
        first = Comparison(real[:50], settings(kid_subset=50)).precision_recall(torch.from_numpy(fake[:50]))
        assert {name: few[name] for name in first} == first


def changed(change: str, pictures: np.ndarray, level: float) -> np.ndarray:
    """Images under noise or blur, as bytes."""
    return np.clip(np.rint(CHANGES[change](pictures.astype(float), level)), 0, 255).astype(np.uint8)


def picked(name: str, arrays: dict[str, np.ndarray], split: str, count: int) -> np.ndarray:
    given = dataset(name)
    assert isinstance(given, FiniteDataset)
    return images(given, arrays[split][stream("picked", split).permutation(len(arrays[split]))[:count]])


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("downloads")
    fetch(SOURCE, folder, None, progress=False)
    return folder


@pytest.fixture(scope="module")
def digits(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    chosen, folder = dataset("mnist-14x14"), tmp_path_factory.mktemp("mnist")
    return chosen.prepare({source.file: fetch(source, folder, mirror, progress=False) for source in chosen.sources()})


@pytest.fixture(scope="module")
def patches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    chosen, folder = dataset("patches-32x32"), tmp_path_factory.mktemp("patches")
    return chosen.prepare({source.file: fetch(source, folder, None, progress=False) for source in chosen.sources()})


@pytest.fixture(scope="module")
def classifier(digits: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of one that was trained on a part of MNIST."""
    given = classifier_training.Labelled(
        torch.tensor(images(dataset("mnist-14x14"), digits["train"][:4000])),
        torch.tensor(digits["train_labels"][:4000]).long(),
    )
    file = tmp_path_factory.mktemp("classifier") / "weights.safetensors"
    save_file(classifier_training.trained(given, 10, "mnist-14x14").state_dict(), file)
    return file


@pytest.fixture(scope="module")
def seen(
    digits: dict[str, np.ndarray], patches: dict[str, np.ndarray], classifier: Path, downloads: Path
) -> Callable[[str, str], dict[str, np.ndarray]]:
    """Of an extractor and a dataset: features of two sets of real images, and of the second under every change."""
    arrays = {"mnist-14x14": digits, "patches-32x32": patches}

    @functools.cache
    def passes(name: str, data: str) -> dict[str, Layers]:
        chosen, real = extractor(name), picked(data, arrays[data], "train", 2 * COUNT)
        one, other = real[:COUNT], real[COUNT:]
        sets = {f"{change} {level}": changed(change, other, level) for change in CHANGES for level in LEVELS[1:]}
        weights = classifier if chosen.trained else downloads / SOURCE.file
        return {key: extract(chosen, weights, each) for key, each in {"one": one, "other": other, **sets}.items()}

    def of(name: str, data: str) -> dict[str, np.ndarray]:
        found = passes(name.replace("112", "320"), data)
        return {key: layers[extractor(name).layer].astype(np.float64) for key, layers in found.items()}

    return of


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("classifier", "mnist-14x14"),
        *((name, data) for name in ("efflite0-320", "efflite0-112") for data in ("mnist-14x14", "patches-32x32")),
    ],
)
class TestRealImages:
    def test_two_halves_are_near_and_the_nearer_the_more_there_are(self, name: str, data: str, seen: Any) -> None:
        features = seen(name, data)
        first, second = features["one"], features["other"]
        floors = [Comparison(first[:n], settings(kid_subset=20)).scores(second[:n])["fid"] for n in SIZES]
        assert floors[0] > floors[1] > floors[2] > 0
        compare = Comparison(first, settings())
        noisy = compare.scores(features[f"noise {LEVELS[-1]}"])
        assert floors[-1] < noisy["fid"]
        assert abs(compare.scores(second)["kid"]) < 0.1 * noisy["kid"], "which has no bias"

    @pytest.mark.parametrize("change", CHANGES)
    def test_noise_and_blur_are_worse_the_stronger_they_are(self, name: str, data: str, change: str, seen: Any) -> None:
        """The classifier sees blurred digits among the real ones: to it they lack variety, not precision."""
        features = seen(name, data)
        compare = Comparison(features["one"], settings())
        scores = [compare.scores(features[key]) for key in ("other", *(f"{change} {level}" for level in LEVELS[1:]))]
        for distance in ("fid", "kid"):
            values = [score[distance] for score in scores]
            assert values == sorted(values), distance
            assert values[1] > values[0]
        for share in ("recall",) if (name, change) == ("classifier", "blur") else ("precision", "recall"):
            assert scores[0][share] > scores[2][share], share


class Pictures(Dataset):  # type: ignore[type-arg]
    """What torch-fidelity reads images from."""

    def __init__(self, pictures: np.ndarray) -> None:
        self.pictures = torch.from_numpy(pictures)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.pictures[index]


@pytest.mark.parametrize("name", ["classifier", "efflite0-320@32"])
def test_scores_are_those_of_torch_fidelity_as_a_whole(
    name: str, striped: tuple[Path, FeatureFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks are its feature extractors: its own pass over both sets gives what ours and kept features give."""
    _, files = striped
    chosen: Extractor = extractor(name)
    network = chosen.load(files.weights(chosen))
    monkeypatch.setitem(FEATURE_EXTRACTORS_REGISTRY, "ours", lambda *_, **__: network)
    monkeypatch.setattr("torch_fidelity.utils.resolve_feature_layer_for_metric", lambda metric, **_: chosen.layer)
    one, other = (
        np.random.default_rng(seed).integers(0, 200 + 50 * seed, (60, 1 if chosen.trained else 3, 8, 8), dtype=np.uint8)
        for seed in (0, 1)
    )
    layers = {f"feature_layer_{score}": chosen.layer for score in ("fid", "kid", "prc")}
    monkeypatch.setattr(network, "features_list", list(chosen.layers))
    expected = torch_fidelity.calculate_metrics(
        input1=Pictures(one),
        input2=Pictures(other),
        feature_extractor="ours",
        **layers,
        fid=True,
        kid=True,
        prc=True,
        kid_subsets=7,
        kid_subset_size=30,
        cuda=False,
        cache=False,
        save_cpu_ram=True,
        verbose=False,
    )
    files_of = lambda pictures: extract(chosen, files.weights(chosen), pictures)[chosen.layer].astype(np.float64)  # noqa: E731
    found = Comparison(files_of(other), settings(kid_subset=30, kid_subsets=7)).scores(files_of(one))
    assert found["fid"] == pytest.approx(expected["frechet_inception_distance"], rel=1e-3, abs=1e-4)
    assert found["kid"] == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-3, abs=1e-5)
    assert found["precision"] == pytest.approx(expected["precision"], abs=0.02)
    assert found["recall"] == pytest.approx(expected["recall"], abs=0.02)


@pytest.fixture(scope="module")
def striped(downloads: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FeatureFiles]:
    """The tests' own dataset with labels, its classifier, and features by two networks."""
    registry.add_files("dataset", {"stripes": stripes.__file__})
    folder = tmp_path_factory.mktemp("striped")
    data = prepared(folder, "stripes")
    write_classifier(data, folder / "features" / "classifier")
    files = FeatureFiles(folder / "features", downloads)
    for name in ("classifier", "efflite0-320@32"):
        write_features(data, name, files, 120)
    return data, files


SMALL = {"extractors": ["classifier", "efflite0-320@32"], "real": 120, "generated": 100, "kid_subset": 50}


class TestABlock:
    @pytest.fixture
    def measured(self, striped: tuple[Path, FeatureFiles], tmp_path: Path) -> Callable[..., dict[str, Any]]:
        data, files = striped
        oracle = job(data, control("oracle"), "oracle")
        folder = trained(oracle, tmp_path / "oracle")

        def measure(given: dict[str, Any] = SMALL, features: FeatureFiles = files) -> dict[str, Any]:
            rows = measure_block(oracle, folder, [("image_scores", given)], 1, features)
            found: dict[str, Any] = {}
            for row in (dict(zip(COLUMNS, values, strict=True)) for values in rows):
                found.setdefault(row["metric"], []).append((row["value"], row["protocol"]))
            return found

        return measure

    def test_every_score_of_every_extractor_with_its_protocol(self, measured: Any, striped: Any) -> None:
        rows = measured()
        both = ("fid", "kid", "precision", "recall")
        expected = {f"{score}:{name}" for score in both for name in SMALL["extractors"]}
        assert rows.keys() == expected | {"isc:classifier"}
        digest = striped[1].facts(extractor("classifier"))["weights"][:8]
        assert rows["fid:classifier"][0][1] == f"fid[classifier-{digest},real=120,generated=100,test]"
        assert rows["kid:efflite0-320@32"][0][1] == (
            "kid[efflite0-320@32-57934424,real=120,generated=100,subset=50,subsets=50,test]"
        )
        assert rows["isc:classifier"][0][1] == f"isc[classifier-{digest},n=100,parts=10]"
        values = np.array([[value for value, _ in rows[name]] for name in sorted(rows)])
        assert values.shape == (9, 2)
        assert np.isfinite(values).all()
        assert all(1 < value <= 2 for value, _ in rows["isc:classifier"])

    def test_other_features_are_measured_anew(
        self, measured: Any, striped: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = measured()
        monkeypatch.setattr(Comparison, "fid", lambda *_: -7.0)
        assert measured() == before, "kept"
        data, files = striped
        shutil.copytree(files.folder, tmp_path / "features")
        other = FeatureFiles(tmp_path / "features", files.downloads)
        write_features(data, "classifier", other, 121)
        assert {value for value, _ in measured(features=other)["fid:classifier"]} == {-7.0}

    def test_metrics_of_a_block_share_what_it_generated(
        self, striped: tuple[Path, FeatureFiles], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data, files = striped
        oracle = job(data, control("oracle"), "oracle")
        folder = trained(oracle, tmp_path / "oracle")
        opened = []
        original = table.TrainedBlock
        monkeypatch.setattr(table, "TrainedBlock", lambda *given: opened.append(given) or original(*given))
        wanted = [
            ("image_scores", SMALL),
            ("image_scores", {**SMALL, "neighbour": 2}),
            ("energy", {"real": 9, "generated": 9}),
        ]
        measure_block(oracle, folder, wanted, 1, files)
        assert len(opened) == 1
        measure_block(oracle, folder, wanted, 1, files)
        assert len(opened) == 1, "all is kept"

    def test_too_few_images_for_the_kernel_distance(self, measured: Any) -> None:
        """A small split gives fewer than the settings ask for."""
        many = {**SMALL, "real": 1000, "generated": 1000, "kid_subset": 300}
        with pytest.raises(UserError, match=r"have|holds|kid_subset = 300 is too large for 1\d\d real"):
            measured(many)

    def test_missing_features(self, measured: Any, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            measured(features=FeatureFiles(tmp_path / "none", tmp_path))


@pytest.fixture(scope="module")
def references(
    striped: tuple[Path, FeatureFiles], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, FeatureFiles]:
    """Features of all images of the tests' own dataset."""
    data, files = striped
    folder = shutil.copytree(files.folder, tmp_path_factory.mktemp("all") / "features")
    every = FeatureFiles(folder, files.downloads)
    write_features(data, "classifier", every, 640)
    return data, every


class TestTheFloorOfTheTrainingSplit:
    """The tests' dataset has 640 images to train and 200 to test; all are references."""

    @pytest.fixture
    def scored(
        self, references: tuple[Path, FeatureFiles], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[..., tuple[list[np.ndarray], str]]:
        """Features of each member that are compared with the references, and the protocol of the Fréchet distance."""
        data, files = references

        def measure(name: str, real: int, generated: int) -> tuple[list[np.ndarray], str]:
            given = {"extractors": ["classifier"], "split": "train", "real": real, "generated": generated}
            compared: list[np.ndarray] = []
            scores = dict.fromkeys(("fid", "kid", "precision", "recall"), 0.0)
            monkeypatch.setattr(Comparison, "scores", lambda _, features: compared.append(features) or scores)
            recipe = job(data, control(name), name)
            rows = measure_block(
                recipe, trained(recipe, tmp_path / name), [("image_scores", {**given, "kid_subset": 50})], 1, files
            )
            [protocol] = {row[COLUMNS.index("protocol")] for row in rows if row[COLUMNS.index("metric")][:3] == "fid"}
            return compared, protocol

        return measure

    def test_no_image_is_on_both_sides(self, scored: Any, references: tuple[Path, FeatureFiles]) -> None:
        """Nor are they the same for all seeds."""
        features, protocol = scored("oracle", 500, 140)
        known = references[1].read(extractor("classifier"))
        both = [np.isclose(each[:, None], known["train/64"][:500], atol=1e-5).all(axis=2).any() for each in features]
        assert both == [False, False]
        rest = known["train/64"][500:]
        assert all(np.isclose(each[:, None], rest, atol=1e-5).all(axis=2).any(axis=1).all() for each in features)
        assert not np.allclose(*features)
        assert "real=500,generated=140,train]" in protocol

    def test_where_training_images_do_not_suffice_those_of_the_test_follow(self, scored: Any, references: Any) -> None:
        features, protocol = scored("oracle", 640, 180)
        known = references[1].read(extractor("classifier"))["test/64"]
        assert all(np.isclose(each[:, None], known, atol=1e-5).all(axis=2).any(axis=1).all() for each in features)
        assert "real=640,generated=180,train]" in protocol

    def test_too_few_of_both_are_no_floor_of_the_wanted_size(self, scored: Any) -> None:
        assert "real=600,generated=240,train]" in scored("oracle", 600, 400)[1]
        assert "real=600,generated=400,train]" in scored("empirical", 600, 400)[1]


def test_data_that_are_not_images_have_no_scores(tmp_path: Path) -> None:
    surface = job(prepared(tmp_path), control("oracle"), "oracle")
    assert measure_block(surface, trained(surface, tmp_path / "oracle"), [("image_scores", SMALL)], 1) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"kid_subset": 5000},
            "kid_subset = 5000 is too large for 2000 real and 2000 generated images; accepted: up to 2000",
        ),
        (
            {"neighbour": 2000},
            "neighbour = 2000 is too large for 2000 real and 2000 generated images; accepted: up to 1999",
        ),
        ({"extractors": []}, "extractors"),
        ({"extractors": ["inceptoin"]}, "extractor 'inceptoin' is unknown; did you mean 'inception'?"),
    ],
)
def test_bad_settings_are_one_sentence(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        validated(ImageScores, {"extractors": ["classifier"], **given}, "study.yaml: metric 'image_scores'")
    assert message in str(error.value)
    assert str(error.value).startswith("study.yaml: metric 'image_scores': ")
