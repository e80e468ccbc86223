"""The page of methods is written from the registry, the studies and the reference results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from wgpipe import method_docs, registry
from wgpipe.cli import main

TABLE = """\
method,family,score,ci_low,ci_high,rank
wgan-gp,w1,0.981,0.975,0.987,1
clip,w1,0.412,0.4,0.424,7
"""


@pytest.fixture(scope="module")
def page() -> str:
    return method_docs.page(ROOT)


def entry(page: str, heading: str) -> str:
    """What stands between a heading and the next one."""
    return re.split(r"^##+ ", page.partition(f"\n### {heading}\n")[2], flags=re.MULTILINE)[0]


def test_the_committed_page_is_what_is_written(page: str) -> None:
    assert (ROOT / method_docs.PAGE).read_text(encoding="utf-8") == page, "run `wgpipe list methods --docs`"


def test_every_method_constraint_and_net_has_its_objective_settings_and_sources(page: str) -> None:
    for kind in ("method", "constraint", "net"):
        for name in registry.package_files(kind):
            cls = registry.load(kind, name)
            text = entry(page, f"{kind} {name}")
            assert f"```text\n{cls.__doc__.partition(chr(10))[0]}" in text
            assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(cls.model_fields)
            assert text.count("- Source: ") == len(cls.cites)
            assert page.count(f"| [{name}](#{kind}-{name}) | ") == 1


def test_a_setting_is_told_with_type_default_and_meaning(page: str) -> None:
    row = "| `sort` | `pairs` or `full` | `pairs` | groups of two units, or all units of a layer as one |"
    assert row in entry(page, "net groupsort")


def test_studies_are_told_with_the_recipes_that_use_a_piece(page: str) -> None:
    assert "- Study vanilla_rates: wgan-lp, wgan-clip, wgan-gp, " in entry(page, "method wgan")
    assert "- Study vanilla_rates: vanilla-clip, wgan-clip" in entry(page, "constraint clip")
    assert "- Study vanilla_rates: vanilla-groupsort, wgan-groupsort" in entry(page, "net groupsort")
    assert re.search(r"^- Study vanilla_rates: empirical$", entry(page, "method empirical"), re.MULTILINE)


def test_links_lead_to_headings(page: str) -> None:
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^##+ (.+)$", page, re.MULTILINE)}
    targets = re.findall(r"\]\(#([^)]+)\)", page)
    assert targets
    assert set(targets) <= anchors


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (
            "li2020",
            "Li & Dou 2020, *Making Method of Moments Great Again? -- How Can GANs Learn Distributions*, arXiv 2",
        ),
        ("arjovsky2017", "Arjovsky et al. 2017, *Wasserstein Generative Adversarial Networks*, arXiv 1701.07875"),
        ("stephanovitch2022", "Stéphanovitch et al. 2022, *"),
        (
            "szekely2013",
            "Székely & Rizzo 2013, *Energy Statistics: A Class of Statistics Based on Distances*, Journal of",
        ),
    ],
)
def test_a_source_is_one_line_of_plain_text(key: str, line: str) -> None:
    assert method_docs.source(key).startswith(line)


def test_standings_are_left_out_until_they_are_measured(tmp_path: Path) -> None:
    assert method_docs.standings(tmp_path) is None
    assert "- ground_truth" not in method_docs.page(tmp_path)


def test_standings_are_those_of_the_method_and_its_recipes(project: Path) -> None:
    file = project / method_docs.STANDINGS.format(scale="lab")
    file.parent.mkdir(parents=True)
    file.write_text(TABLE)
    page = method_docs.page(project)
    line = "- ground_truth (lab), w1, wgan-gp: 0.981 [0.975, 0.987], rank 1"
    for heading in ("method wgan", "constraint gp"):
        assert line in entry(page, heading)
    assert "- ground_truth (lab), w1, clip: 0.412 [0.4, 0.424], rank 7" in entry(page, "constraint clip")
    assert line not in entry(page, "constraint lp")
    assert "- ground_truth: not measured yet" in entry(page, "constraint lp")


def test_the_verb_writes_the_page_of_the_present_studies(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "methods", "--docs"]) == 0
    assert capsys.readouterr().out == "docs/methods.md\n"
    assert method_docs.PAGE.read_text(encoding="utf-8") == method_docs.page(project)


def test_the_verb_writes_methods_only_and_in_a_checkout_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "metrics", "--docs"]) == 2
    assert "--docs goes with 'list methods', not with 'list metrics'" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert main(["list", "methods", "--docs"]) == 2
    assert "config is not a folder here" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
