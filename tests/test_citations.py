"""Everything that asks to be cited has a complete BibTeX entry."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from wgpipe import citations
from wgpipe.audit.fingerprint import PACKAGE
from wgpipe.errors import UserError


def asked() -> Iterator[tuple[str, str]]:
    """(file, key) of every `cites=(...)` and `cites = (...)` in the package."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_bytes())):
            match node:
                case (
                    ast.keyword(arg="cites", value=ast.expr() as value)
                    | ast.Assign(targets=[ast.Name(id="cites")], value=value)
                    | ast.AnnAssign(target=ast.Name(id="cites"), value=ast.Tuple() as value)
                ):
                    for constant in ast.walk(value):
                        if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                            yield file.relative_to(PACKAGE).as_posix(), constant.value


def test_every_key_that_the_package_cites_is_known() -> None:
    keys = list(asked())
    assert ("methods/vanilla.py", "kunkel2024") in keys
    assert [(file, key) for file, key in keys if key not in citations.known()] == []


@pytest.mark.parametrize("key", citations.known())
def test_an_entry_has_author_title_year_and_a_place_to_find_it(key: str) -> None:
    fields = dict(re.findall(r"^  (\w+) = \{(.*?)\},$", citations.entry(key), re.MULTILINE | re.DOTALL))
    assert {"author", "title", "year"} <= fields.keys()
    assert fields.keys() & {"journal", "booktitle", "eprint", "doi"}
    assert key.endswith(fields["year"])
    assert all(text.count("{") == text.count("}") for text in fields.values())
    assert ("eprint" in fields) == (fields.get("archiveprefix") == "arXiv")


def test_keys_are_unique_and_every_entry_of_the_file_is_read() -> None:
    assert re.findall(r"@\w+\{(\w+),", citations.FILE.read_text(encoding="utf-8")) == citations.known()


def test_an_unknown_key_comes_with_a_suggestion() -> None:
    with pytest.raises(UserError, match=r"'gulrajani2018' is unknown; did you mean 'gulrajani2017'\?"):
        citations.entry("gulrajani2018")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A user's own file with a bibliography beside it, whose entries end as other programs end them."""
    file = tmp_path / "mine.py"
    file.with_suffix(".bib").write_text(
        "@misc{ me2020,\n  title={{A} title},\n  year={2020}}\n@misc{us2021, year={2021}}\n"
    )
    return file


def test_a_users_own_file_cites_from_the_bib_file_beside_it(mine: Path) -> None:
    assert citations.entry("me2020", [mine]) == "@misc{ me2020,\n  title={{A} title},\n  year={2020}}"
    assert citations.entry("us2021", [mine, mine]) == "@misc{us2021, year={2021}}"
    assert citations.entry("gulrajani2017", [mine]) == citations.entry("gulrajani2017")


def test_a_key_that_is_nowhere_names_the_places_where_it_may_stand(mine: Path) -> None:
    with pytest.raises(UserError, match=r"citations\.bib, .*mine\.bib: citation 'me2002' is unknown; .* 'me2020'\?"):
        citations.entry("me2002", [mine])
    with pytest.raises(UserError, match=r"citations\.bib, .*none\.bib: citation 'me2020' is unknown"):
        citations.entry("me2020", [mine.with_name("none.py")])


def test_an_entry_without_an_end_is_a_users_error(mine: Path) -> None:
    mine.with_name("broken.bib").write_text("@misc{me2020,\n  title = {A title,\n}\n")
    with pytest.raises(UserError, match=r"broken\.bib: the entry of 'me2020' has no closing brace"):
        citations.entry("me2020", [mine.with_name("broken.py")])
