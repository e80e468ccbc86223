"""Files and names from elsewhere run no code, and lead out of no folder."""

from __future__ import annotations

import ast
import io
import itertools
import json
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from tests.blocks import adversarial, control, job, prepared, trained, write_recipe
from tests.conftest import ROOT, edit_yaml
from wgpipe.cli import main
from wgpipe.dag import Dag
from wgpipe.data import Source, dataset
from wgpipe.data.archives import read_tar
from wgpipe.errors import UserError
from wgpipe.names import checked
from wgpipe.resolve import resolve
from wgpipe.train import checkpoint, files

SOURCES = sorted([*(ROOT / "wgpipe").rglob("*.py"), *(ROOT / "snakemake_logger_plugin_wgpipe").rglob("*.py")])
UNPICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
STUDY = "config/studies/vanilla_rates.yaml"
BAD_NAMES = (
    *("../x", "/etc/x", "a/b", "a b", "a'b", 'a"b', "$(touch x)", "`touch x`", "a;b", "a\nb", "a\n", "-rf", ".hidden"),
    *("..", "", "a&b", "a|b", "a>b", "a*b", "a?b", "~", "a\\b", "é", "a{b}", "a\0b", "x" * 101),
)


class Payload:
    """Unpickled, it would leave a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.mark}",)


# What the package calls.


def calls(file: Path) -> Iterator[tuple[str, ast.Call]]:
    """(dotted name, call) of every call in a file."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def options(call: ast.Call) -> dict[str | None, str]:
    return {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}


def test_nothing_is_unpickled() -> None:
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not UNPICKLING & {name.partition(".")[0] for name in names}, file
        for name, call in calls(file):
            if name == "torch.load":
                assert options(call).get("weights_only") == "True", file
            if name in ("np.load", "numpy.load"):
                assert options(call).get("allow_pickle") == "False", file
            assert name not in ("pd.read_pickle", "pandas.read_pickle", "torch.jit.load"), file
            assert "allow_pickle" not in options(call) or options(call)["allow_pickle"] == "False", file


def test_no_text_is_run_as_code() -> None:
    for file in SOURCES:
        for name, call in calls(file):
            assert name not in ("eval", "exec", "compile", "os.system", "os.popen", "__import__"), file
            assert name not in ("yaml.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all"), file
            assert "shell" not in options(call), file
        if "exec_module" in file.read_text():
            assert file.name == "registry.py", "the user's own pieces, which the registry imports, and nothing else"


def test_archives_are_unpacked_in_one_place_that_checks_their_members() -> None:
    found = [file.name for file in SOURCES for name, _ in calls(file) if name.endswith((".extractall", ".extract_all"))]
    assert found == ["archive.py"]
    assert not [file for file in SOURCES for name, _ in calls(file) if name in ("shutil.unpack_archive",)]


# Data, weights and checkpoints.


def test_an_array_of_objects_in_a_dataset_is_not_unpickled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = prepared(tmp_path)
    objects = np.empty(1, dtype=object)
    objects[0] = Payload(tmp_path / "mark")
    np.savez(folder / "data.npz", embedding=objects)
    recipe = write_recipe(tmp_path, "oracle", control("oracle"))
    given = ["--recipe", str(recipe), "--data", str(folder), "--n", "8", "--seeds", "0-1", "--out", str(tmp_path / "b")]
    assert main(["train", *given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "data.npz is damaged or of another kind" in line
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", [files.CHECKPOINT, f"{files.block(16)}/{files.GENERATOR}"])
def test_a_pickle_in_place_of_weights_is_not_unpickled(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = job(prepared(tmp_path), adversarial(steps=2))
    bundle = tmp_path / "bundle"
    folder = trained(made, bundle)
    whole = (folder / files.GENERATOR).read_bytes()
    (folder / files.RUN).unlink()
    (bundle / name).write_bytes(pickle.dumps(Payload(tmp_path / "mark")))
    capsys.readouterr()
    trained(made, bundle)
    assert "checkpoint" not in name or "is not used: it is damaged" in capsys.readouterr().err
    assert (folder / files.GENERATOR).read_bytes() == whole
    assert not (tmp_path / "mark").exists()


def test_published_weights_with_code_in_them_are_refused(tmp_path: Path) -> None:
    """Their checksum is looked at first; and even so they are loaded as weights alone."""
    torch.save({"net.centers": Payload(tmp_path / "mark")}, tmp_path / "x.pt")
    funnels = dataset("published_funnels-4in2")
    (source,) = funnels.sources()
    with pytest.raises(pickle.UnpicklingError):
        funnels.prepare({source.file: tmp_path / "x.pt"})
    assert not (tmp_path / "mark").exists()


def test_a_pickle_of_the_efficientnet_is_refused(tmp_path: Path) -> None:
    from wgpipe.extractors.efflite0_network import load

    torch.save({"x": Payload(tmp_path / "mark")}, tmp_path / "x.pth")
    with pytest.raises(pickle.UnpicklingError):
        load(tmp_path / "x.pth", 96)
    assert not (tmp_path / "mark").exists()


def test_a_flipped_bit_of_a_checkpoint_is_not_trained_on(tmp_path: Path) -> None:
    from safetensors.torch import safe_open, save_file

    file = tmp_path / "x.safetensors"
    state = {"step": torch.arange(2), "weights": torch.ones(2, 3)}
    stacks = SimpleNamespace(state=lambda: state, history={(16, 0): [], (16, 1): []}, runs=[(16, 0), (16, 1)])
    stacks.fit, stacks.step, loaded = (lambda steps: True), 0, []
    stacks.load_state = lambda found, rows: loaded.append(found)
    checkpoint.save(file, stacks, {"n": 1})
    checkpoint.resume(file, stacks, {"n": 1})
    assert len(loaded) == 1
    with safe_open(file, "pt") as content:
        metadata = content.metadata()
    state["weights"][0, 0] = 1.5
    save_file(state, file, metadata)
    checkpoint.resume(file, stacks, {"n": 1})
    assert len(loaded) == 1


# Archives.


def tar_with(path: Path, name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, target, 3 if kind == tarfile.REGTYPE else 0
        archive.addfile(info, io.BytesIO(b"abc"))
    return path


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "C:/x", "\\x"])
def test_a_tar_that_leads_out_of_its_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="leads out of its folder"):
        read_tar(tar_with(tmp_path / "x.tar.gz", name), ["x"])


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_a_link_or_device_in_a_tar_is_no_member(kind: bytes, tmp_path: Path) -> None:
    """Nothing is extracted, and a link is not followed."""
    with pytest.raises(UserError, match=r"x\.tar\.gz (does not hold x|cannot be read)"):
        read_tar(tar_with(tmp_path / "x.tar.gz", "x", kind, "/etc/passwd"), ["x"])


def zip_with(path: Path, name: str, mode: int = 0o100644, content: str = "/etc/passwd") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename, info.external_attr = name, mode << 16
        archive.writestr(info, content)
    return path


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *((name, 0o100644) for name in ("../x", "/x", "a/../../x", "..\\x", "C:\\x")),
        *(("x", mode) for mode in (0o120777, 0o020666, 0o010644)),
    ],
)
def test_an_archive_of_results_writes_nothing_outside(
    name: str, mode: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(tmp_path.parent.rglob("*"))
    path = zip_with(tmp_path / "stranger.zip", name, mode)
    assert main(["audit", "verify", str(path)]) == 1
    captured = capsys.readouterr()
    assert "would lie outside the folder or is no file" in captured.out
    assert captured.err == ""
    assert set(tmp_path.parent.rglob("*")) - before == {path}


def test_members_that_are_in_each_others_way_are_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a", "a file")
        archive.writestr("a/b", "and a folder")
    assert main(["audit", "verify", str(tmp_path / "x.zip")]) == 1
    assert "is damaged or of another kind" in capsys.readouterr().out


def test_an_archive_that_would_fill_the_disk_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(1 << 20))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    assert main(["audit", "verify", str(tmp_path / "x.zip")]) == 1
    assert "it would fill 1048576 bytes" in capsys.readouterr().out


# Names.


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_a_folder_or_a_shell_would_take_apart_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="since it names a folder"):
        checked(name)
    with pytest.raises(UserError, match="a file to download has the name"):
        Source(file=name, urls=("https://localhost/x",))


PLACES = {
    "scale": ("config/config.yaml", ("scale",), lambda name: name),
    "study": ("config/config.yaml", ("studies",), lambda name: [name]),
    "own method": ("config/config.yaml", ("methods",), lambda name: {name: "./mine.py"}),
    "own constraint": ("config/config.yaml", ("constraints",), lambda name: {name: "./mine.py"}),
    "own net": ("config/config.yaml", ("nets",), lambda name: {name: "./mine.py"}),
    "own dataset": ("config/config.yaml", ("datasets",), lambda name: {name: "./mine.py"}),
    "own metric": ("config/config.yaml", ("metrics",), lambda name: {name: "./mine.py"}),
    "recipe": (STUDY, ("recipes", None), lambda name: {"method": {"name": "wgan"}}),
    "base": (STUDY, ("recipes", "wgan-lp", "on"), lambda name: name),
    "dataset": (STUDY, ("scales", "quick", "grid", 0, "datasets"), lambda name: [name]),
    "family": (
        STUDY,
        ("scales", "quick", "grid", 0, "planted"),
        lambda name: {"families": [name], "intrinsic": [1], "ambient": [2]},
    ),
    "control": (STUDY, ("controls",), lambda name: ["oracle", name]),
    "metric": (STUDY, ("metrics", None), lambda name: {}),
    "table": (STUDY, ("tables",), lambda name: [name]),
    "figure": (STUDY, ("figures",), lambda name: [name]),
    "claim": (STUDY, ("claims", None), lambda name: {}),
    "figure of a claim": (STUDY, ("claims", "van-rate", "figure"), lambda name: name),
    "table of a claim": (STUDY, ("claims", "van-rate", "table"), lambda name: name),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_such_name_passes_a_configuration(
    place: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every place that names something, with some of the bad names each."""
    file, keys, value = PLACES[place]
    whole = (project / file).read_text()
    chosen = [name for index, name in enumerate(BAD_NAMES) if index % len(PLACES) == list(PLACES).index(place)]
    for name in (*chosen, "../x", "$(touch x)"):
        (project / file).write_text(whole)
        edit_yaml(project / file, *(name if key is None else key for key in keys), value=value(name))
        assert main(["resolve"]) == 2, name
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("wgpipe: ")
    assert not (project / "results").exists()
    assert not (project / "x").exists()


def test_the_path_of_an_own_file_is_one_word_of_a_shell_line(project: Path) -> None:
    odd = project / "it's; $(touch x) `touch x`.py"
    odd.write_text(
        "from wgpipe.methods.wgan import Wgan\nfrom wgpipe.registry import register\n\n\n"
        '@register("odd-place")\nclass Odd(Wgan):\n    """Mine."""\n'
    )
    edit_yaml(project / "config/config.yaml", "studies", value=["vanilla_rates"])
    edit_yaml(project / "config/config.yaml", "methods", value={"odd-place": str(odd)})
    edit_yaml(project / STUDY, "recipes", "wgan-lp", "method", "name", value="odd-place")
    made = Dag(resolve([Path("config/config.yaml")], {}))
    (block, *_) = (block for block in made.blocks if block.recipe == "wgan-lp")
    line = made.own_files(SimpleNamespace(dataset=block.dataset, recipe=block.recipe))
    script = "import sys; print(sys.argv[1:])"
    said = subprocess.run(
        ["bash", "-c", f"{sys.executable} -c '{script}' {line}"], capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(said.stdout) == ["--own", f"method:odd-place={odd}"]
    assert not (project / "x").exists()


def test_every_word_of_the_rules_that_no_check_has_seen_is_quoted() -> None:
    """File names in config/studies/ are read as they lie there; all other names were checked."""
    rules = "".join(file.read_text() for file in (ROOT / "workflow/rules").glob("*.smk"))
    assert "{input.configs:q}" in rules
    assert "{input.configs}" not in rules
    assert set(yaml.safe_load((ROOT / "config/config.yaml").read_text())["studies"]) <= {
        file.stem for file in (ROOT / "config/studies").glob("*.yaml")
    }


# YAML.

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in itertools.pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: " + "[" * 100_000, "more than 50 levels"),
        ("a: " + "{b: " * 60 + "1" + "}" * 60, "more than 50 levels"),
        (LAUGHS, "more than 100000 values"),
        ("a: &a [*a]", "a value contains itself"),
        ("a: !!python/object/apply:os.system ['touch x']", "could not determine a constructor"),
        ("a: " + "9" * 5000, "not what it is written as"),
    ],
    ids=["flow", "mappings", "laughs", "circle", "python", "digits"],
)
def test_yaml_that_would_fill_the_memory_or_run_is_refused(
    text: str, said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "config/config.yaml").write_text(text)
    assert main(["check"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert main(["check", "--set", text.replace("a: ", "scale=", 1).partition("\n")[0]]) == 2
    assert not (project / "x").exists()


# Results from elsewhere.

OWN_DATASET = """
from pathlib import Path
from wgpipe.data.sphere import Sphere
from wgpipe.registry import register

Path({mark!r}).touch()


@register("stranger")
class Stranger(Sphere):
    '''A dataset of somebody else's.'''
"""


@pytest.fixture
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A results folder whose configuration names a dataset of its own."""
    from wgpipe.audit.manifest import write_manifest

    own = tmp_path / "theirs" / "mine.py"
    results = tmp_path / "theirs/results/quick"
    shutil.copytree(ROOT / "config", tmp_path / "mine/config")
    monkeypatch.chdir(tmp_path / "mine")
    (results / "config").mkdir(parents=True)
    own.write_text(OWN_DATASET.format(mark=str(tmp_path / "mark")))
    edit_yaml(Path("config/config.yaml"), "studies", value=["vanilla_rates"])
    content = json.loads(json.dumps(resolve([Path("config/config.yaml")], {}).to_json()))
    content["config"]["datasets"] = {"stranger": "./mine.py"}
    content["studies"]["vanilla_rates"]["scales"]["quick"]["grid"][0]["datasets"] = ["stranger-1in2"]
    (results / "config/resolved.json").write_text(json.dumps(content))
    write_manifest(results)
    return results


@pytest.mark.parametrize(
    "verb", [("verify",), ("prune",), ("rerun",), ("trace", "van-rate", "--results")], ids=lambda verb: verb[0]
)
def test_code_that_came_with_results_is_not_run(
    verb: tuple[str, ...], strange: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["audit", *verb, str(strange)])
    said = " ".join(capsys.readouterr())
    assert "came with results from elsewhere, so its code is not run without --trust" in said
    assert "Traceback" not in said
    assert not (tmp_path / "mark").exists()


def test_code_that_came_with_results_is_run_if_it_is_trusted(strange: Path, tmp_path: Path) -> None:
    assert main(["audit", "verify", str(strange), "--trust"]) == 1
    assert (tmp_path / "mark").exists()


def test_links_out_of_a_results_folder_are_named_and_not_followed(
    strange: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("id,verdict\nsecret,words\n")
    (strange / "claims.csv").symlink_to(secret)
    (strange / "runs").symlink_to(tmp_path)
    os.mkfifo(strange / "fifo.json")
    assert main(["audit", "verify", str(strange)]) == 1
    lines = capsys.readouterr().out.splitlines()
    for name in ("claims.csv", "runs", "fifo.json"):
        assert f"{name} is a link or no file: what is there may lie elsewhere" in lines
    for verb in (["prune", "--delete"], ["rerun"], ["compare", str(strange)], ["reference", str(tmp_path / "out")]):
        assert main(["audit", verb[0], str(strange), *verb[1:]]) == 2
        said = capsys.readouterr()
        assert len(said.err.splitlines()) == 1
        assert "secret" not in said.out
    assert secret.is_file()
    assert main(["archive", str(strange), str(tmp_path / "out.zip"), "--date", "2026-01-31"]) == 2
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.parametrize("name", ["../../outside", "/etc/passwd", "a b"])
def test_names_in_a_strangers_configuration_are_checked(
    name: str, strange: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = strange / "config/resolved.json"
    content = json.loads(file.read_text())
    for part in ("recipes", "metrics", "studies"):
        bad = {**content, part: {**content[part], name: next(iter(content[part].values()))}}
        file.write_text(json.dumps(bad))
        assert main(["audit", "verify", str(strange)]) == 1
        assert "not checked: completeness" in capsys.readouterr().out
