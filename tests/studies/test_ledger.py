import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT
from wgpipe.config import Study
from wgpipe.settings import read_yaml
from wgpipe.stats.estimates import Estimate
from wgpipe.stats.verdicts import judge
from wgpipe.studies.claims import claim_row, read_claims, write_claims
from wgpipe.studies.ledger import PAPERS, claim_lines, collect
from wgpipe.studies.ledger_files import build_ledger
from wgpipe.studies.needs import need

CONFIGS = ROOT / "config" / "studies"
FLOORS = "dataset,recipe,status,points_for_slope,points_for_all,floor_share,usable,ns,note\n"
ESTIMATES = {
    "van-rate": Estimate(-0.2, -0.3, -0.1, "slope - exponent", 24, 8),
    "van-wgan": Estimate(0.2, 0.1, 0.3, "slope - exponent", 24, 8),
    "van-loose": Estimate(0.03, -0.02, 0.08, "slope difference", 24, 8, note="5 % & <b>1_a|b</b> of d* ± 2²"),
}


@pytest.fixture
def folders(tmp_path):
    """A project in which vanilla_rates and a study of the user's own ran, and another study did not."""
    root = tmp_path / "results" / "quick"
    configs = tmp_path / "config" / "studies"
    configs.mkdir(parents=True)
    given = read_yaml(CONFIGS / "vanilla_rates.yaml")
    for study, prefix in (("vanilla_rates", "van"), ("mine", "mine"), ("univariate", "uni")):
        text = (CONFIGS / "vanilla_rates.yaml").read_text(encoding="utf-8")
        text = text.replace("study: vanilla_rates", f"study: {study}").replace("  van-", f"  {prefix}-")
        (configs / f"{study}.yaml").write_text(text, encoding="utf-8")
    for study, prefix in (("mine", "mine"), ("vanilla_rates", "van")):
        claims = {name.replace("van-", f"{prefix}-"): claim for name, claim in given["claims"].items()}
        settings = Study.model_validate({**given, "study": study, "claims": claims})
        (root / "config" / "studies").mkdir(parents=True, exist_ok=True)
        file = root / "config" / "studies" / f"{study}.json"
        file.write_text(json.dumps({"study": settings.model_dump(mode="json"), "scale": "quick", "blocks": []}))
        folder = root / "studies" / study
        folder.mkdir(parents=True)
        rows = []
        for name, claim in settings.claims.items():
            if name in ESTIMATES:
                estimate = ESTIMATES[name]
                rows.append(claim_row(study, name, claim, estimate, *judge(claim.test, estimate)))
        write_claims(rows, folder)
        (folder / "floors.csv").write_text(FLOORS)
        (folder / "controls.csv").write_text("control,dataset,expected,reason,as_expected\noracle,a,flat,slope 0,yes\n")
        (folder / "failures.csv").write_text(
            "recipe,method,runs,missing,diverged,timeout,no_value,out_of_range\nwgan-lp,wgan,8,2,1,0,0,0\n"
        )
    return root, configs


def inputs(root, configs, order=("vanilla_rates", "mine")):
    studies = [root / "studies" / name for name in order]
    settings = [root / "config" / "studies" / f"{name}.json" for name in order]
    return studies, settings, sorted(configs.glob("*.yaml")), root


def built(root, configs, **options):
    build_ledger(*inputs(root, configs, **options))
    return pd.read_csv(root / "claims.csv", keep_default_na=False)


def test_claims_stand_in_paper_order_whatever_the_order_of_the_configuration(folders):
    first = built(*folders)
    files = [file for file in folders[0].rglob("*") if file.is_file()]
    before = {file: file.read_bytes() for file in files}
    built(*folders, order=("mine", "vanilla_rates"))
    assert {file: file.read_bytes() for file in files} == before
    assert list(dict.fromkeys(first["study"])) == ["vanilla_rates", "univariate", "mine"]
    own = first[first["study"] == "vanilla_rates"]["id"].tolist()
    assert own == list(read_yaml(CONFIGS / "vanilla_rates.yaml")["claims"])


def test_every_study_of_the_configuration_has_its_place():
    assert {file.stem for file in CONFIGS.glob("*.yaml")} <= set(PAPERS)


def test_claims_of_a_study_that_the_scale_leaves_out_are_listed_as_not_run(folders):
    table = built(*folders)
    left_out = table[table["study"] == "univariate"]
    assert set(left_out["verdict"]) == {"not run"}
    assert set(left_out["reason"]) == {"scale 'quick' does not run the study"}
    assert set(left_out["estimate"]) == {""}


def test_a_claim_that_its_study_did_not_judge_has_a_row_all_the_same(folders):
    table = built(*folders).set_index("id")
    assert len(table) == 3 * len(read_yaml(CONFIGS / "vanilla_rates.yaml")["claims"])
    assert table.loc["van-stable", ["verdict", "reason"]].tolist() == [
        "inconclusive",
        "missing: the study has not judged it",
    ]


def test_a_claims_line_is_where_it_begins(folders):
    root, configs = folders
    for entry in collect(*inputs(root, configs)):
        file, line = entry.link.split("#L")
        assert (root / file).resolve() == (configs / f"{entry.row.study}.yaml").resolve()
        assert (root / file).read_text().splitlines()[int(line) - 1].strip() == f"{entry.row.id}:"


def test_a_file_without_claims_has_no_lines(tmp_path):
    (tmp_path / "a.yaml").write_text("study: a\n")
    (tmp_path / "b.yaml").write_text("claims: {}\n")
    assert claim_lines(tmp_path / "a.yaml") == claim_lines(tmp_path / "b.yaml") == {}


def test_the_pages_say_verdict_reason_and_what_would_decide(folders):
    root, _ = folders
    table = built(*folders).set_index("id")
    for name in ("claims.md", "claims.html"):
        text = (root / name).read_text(encoding="utf-8")
        assert "24 claims: 1 supported, 1 contradicted, 14 inconclusive, 8 not run." in text
        assert table.loc["van-loose", "needs"] in text
    assert re.fullmatch(
        r"About \d+ seeds \(\d+ to be [^;]*; about \d+ seeds, if the prediction is\.", table.loc["van-loose", "needs"]
    )
    assert "[slopes](studies/vanilla_rates/slopes.svg)" in (root / "claims.md").read_text()
    assert "studies/univariate" not in (root / "claims.md").read_text().replace("config/studies/univariate", "")


def test_a_caveat_stands_beside_its_verdict_in_every_form(folders):
    root, _ = folders
    table = built(*folders).set_index("id")
    caveat = table.loc["van-saturate", "caveat"]
    assert "docs/decisions/010" in caveat
    assert table.loc["van-rate", "caveat"] == ""
    shown = {kind: (root / f"claims.{kind}").read_text(encoding="utf-8") for kind in ("md", "html", "tex")}
    assert f"- Caveat: {caveat}" in shown["md"]
    assert f"<dt>caveat</dt><dd>{caveat}</dd>" in shown["html"]
    for kind, mark in (("md", " †"), ("html", " †"), ("tex", r"\textdagger")):
        lines = {name: line for name in ("van-rate", "van-saturate") for line in _rows(shown[kind], name)}
        assert mark in lines["van-saturate"]
        assert mark not in lines["van-rate"]


def _rows(text, name):
    """Of the tables of claims: one line each."""
    return [line for line in text.splitlines() if re.match(rf"(\| |<tr>.*#|\\texttt{{){name}\b", line)]


def test_decisions_that_caveats_name_exist():
    for file in CONFIGS.glob("*.yaml"):
        for claim in read_yaml(file).get("claims", {}).values():
            for name in re.findall(r"docs/decisions/\S+\.md", claim.get("caveat", "")):
                assert (CONFIGS.parents[1] / name).is_file()


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.targets, self.ids, self.open = [], set(), []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.targets += [given[name] for name in ("href", "src") if name in given]
        self.ids |= {given["id"]} if "id" in given else set()
        self.open += [tag] if tag != "meta" else []

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", ["claims.html", "quality.html"])
def test_a_page_needs_nothing_beside_it_and_its_tags_are_closed(folders, name):
    root, _ = folders
    built(*folders)
    text = (root / name).read_text(encoding="utf-8")
    page = Links()
    page.feed(text)
    assert page.open == []
    assert "<script" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert str(root) not in text
    for target in page.targets:
        assert "//" not in target
        if target.startswith("#"):
            assert target[1:] in page.ids
        elif not target.startswith("studies/"):
            assert (root / target.partition("#")[0]).is_file(), target


def test_text_is_escaped_in_every_format(folders):
    root, _ = folders
    built(*folders)
    assert "5 % &amp; &lt;b&gt;1_a|b&lt;/b&gt; of d* ± 2²" in (root / "claims.html").read_text(encoding="utf-8")
    tex = (root / "claims.tex").read_text(encoding="utf-8")
    assert r"slope of log W1 $\le$ -min(alpha/d*, 1/2)/2" in tex
    rows = [line for line in tex.splitlines() if line.startswith(r"\texttt")]
    assert len(rows) == 24
    assert all(len(re.findall(r"(?<!\\)&", row)) == 4 for row in rows)
    assert all(row.count("$") % 2 == 0 for row in rows)
    assert all(row.isascii() for row in rows)


def test_quality_joins_the_studies_and_counts(folders):
    root, _ = folders
    built(*folders)
    failures = pd.read_csv(root / "quality" / "failures.csv")
    assert failures["study"].tolist() == ["vanilla_rates", "mine"]
    text = (root / "quality.md").read_text(encoding="utf-8")
    assert "| vanilla_rates | wgan | 8 | 25 % | 12.5 % | 0 % | 0 % | 0 % |" in text
    assert "should be? 2 yes, 0 no, 0 unclear." in text
    needs = pd.read_csv(root / "quality" / "needs.csv")
    assert len(needs) == 14
    assert set(needs["obstacle"]) == {"missing", "interval"}


def test_studies_without_curves_or_controls_are_no_error(folders):
    root, _ = folders
    for name in ("vanilla_rates", "mine"):
        for table in ("floors", "controls"):
            file = root / "studies" / name / f"{table}.csv"
            file.write_text(file.read_text().splitlines()[0] + "\n")
    built(*folders)
    assert "0 of 0 curves" in (root / "quality.md").read_text()


@pytest.mark.parametrize(
    ("estimate", "obstacle", "advice"),
    [
        (Estimate(0.03, -0.02, 0.08, "slope difference", 9, 4), "few seeds", "About 12 seeds (28 to be"),
        (Estimate(np.nan, np.nan, np.nan, "slope", 0, 4), "few seeds", "8 seeds."),
        (Estimate(0.05, -0.02, 0.12, "slope", 9, 8), "interval", "About 14 seeds, if the prediction is."),
        (
            Estimate(0.0, -0.1, 0.1, "slope", 9, 8, "diverged", "3 of 8 failed"),
            "diverged",
            "Runs of vanilla-lp, wgan-lp",
        ),
        (Estimate(np.nan, np.nan, np.nan, "slope", 0, 0, "missing", "no runs"), "missing", "The runs that the reason"),
        (
            Estimate(0.0, -0.1, 0.1, "slope", 9, 8, "floor", "a floor shows in wgan-lp on surface-2in32"),
            "floor",
            "Larger n, or a training that goes on: 98% of wgan-lp on surface-2in32 is a floor; then about",
        ),
        (
            Estimate(0.0, -0.01, 0.01, "slope", 9, 8, "floor", "at n = 64 0.1 is below (vanilla-lp on surface-2in8)"),
            "floor",
            "1.8 times as many points to measure vanilla-lp on surface-2in8 with.",
        ),
    ],
)
def test_each_obstacle_has_its_cure(config, estimate, obstacle, advice):
    claim = config.claims["van-loose"]
    row = claim_row("vanilla_rates", "van-loose", claim, estimate, *judge(claim.test, estimate))
    columns = ["dataset", "recipe", "status", "points_for_slope", "points_for_all", "floor_share"]
    floors = pd.DataFrame(
        [
            ("surface-2in32", "wgan-lp", "floor", 1.0, 1.0, 0.98),
            ("surface-2in8", "vanilla-lp", "floor", 1.8, 2.5, np.nan),
            ("surface-2in8", "vanilla-none", "floor", 5.0, 5.0, np.nan),
            ("surface-2in8", "wgan-lp", "ok", 1.0, 1.0, np.nan),
        ],
        columns=columns,
    )
    found = need(row, claim, floors)
    assert found.obstacle == obstacle
    assert found.advice.startswith(advice), found.advice


def test_a_decided_claim_needs_nothing(folders):
    entries = {entry.row.id: entry for entry in collect(*inputs(*folders))}
    assert entries["van-rate"].need is None
    assert entries["uni-rate"].need is None


def test_a_studys_own_table_of_claims_is_unchanged_by_the_ledger(folders):
    root, _ = folders
    rows = read_claims(root / "studies" / "vanilla_rates" / "claims.csv")
    assert {row.id: row.verdict for row in rows} == {
        "van-rate": "supported",
        "van-wgan": "contradicted",
        "van-loose": "inconclusive",
    }
