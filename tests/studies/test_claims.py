import csv
from pathlib import Path

import numpy as np
import pytest

from wgpipe.errors import UserError
from wgpipe.studies.claims import ClaimRow, read_claims, write_claims

ORDER = "id,study,statement,prediction,estimate,ci_low,ci_high,unit,runs,seeds,verdict,reason,grade,source,figure,table"

ROW = ClaimRow(
    id="van-loose",
    study="vanilla_rates",
    statement="Both losses learn alike.",
    prediction="|slope difference| <= 0.05, say",
    estimate=0.0123456,
    ci_low=-0.01,
    ci_high=0.03,
    unit="slope difference",
    runs=96,
    seeds=8,
    verdict="supported",
    reason='slope difference 0.0123 lies within 0 ± 0.05, "as predicted"',
    grade="DERIVED",
    source="own hypothesis",
    figure="rates",
    table="rates",
)
LOST = ClaimRow(**{**vars(ROW), "id": "van-a", "estimate": np.nan, "ci_low": np.nan, "verdict": "inconclusive"})


def test_claims_csv_has_the_columns_of_the_ledger_in_the_order_given(tmp_path: Path) -> None:
    write_claims([ROW, LOST], tmp_path)
    lines = (tmp_path / "claims.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == ORDER
    rows = list(csv.DictReader(lines))
    assert [row["id"] for row in rows] == ["van-loose", "van-a"]
    assert rows[0]["reason"] == ROW.reason
    assert rows[1]["estimate"] == ""


def test_claims_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_claims([ROW], tmp_path)
    assert read_claims(tmp_path / "claims.csv") == [ROW]
    write_claims([LOST], tmp_path)
    (lost,) = read_claims(tmp_path / "claims.csv")
    assert np.isnan(lost.estimate)


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "claims.csv").write_text("id,verdict\nvan-a,supported\n", encoding="utf-8")
    with pytest.raises(UserError, match="accepted: id, study, statement"):
        read_claims(tmp_path / "claims.csv")
