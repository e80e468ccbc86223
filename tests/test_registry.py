"""Pieces are found by name, with files that nothing needs to import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wgpipe import registry
from wgpipe.errors import UserError

MINE = '''
from wgpipe.methods import Adversarial
from wgpipe.registry import register


@register("mine", cites=("me2020",))
class Mine(Adversarial):
    """My own losses."""

    weight: float = 2.0

    def critic_loss(self, f_real, f_fake):
        return self.weight * (f_fake - f_real).mean(dim=1)
'''


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test adds is forgotten after it."""
    monkeypatch.setattr(registry, "_own_files", {})
    yield
    for key, piece in list(registry._classes.items()):
        if not piece.__module__.startswith("wgpipe."):
            del registry._classes[key]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "my_method.py"
    file.write_text(MINE)
    return file


def test_every_piece_of_the_package_loads_as_its_kind_and_says_what_it_is() -> None:
    for kind in registry.FOLDERS:
        known = registry.files(kind)
        assert known
        assert list(known) == sorted(known)
        for name, file in known.items():
            piece = registry.load(kind, name)
            assert (piece.kind, piece.registered_name) == (kind, name)
            assert piece.__module__ == registry.module_of(file)
            assert registry.first_line(name, file)


def test_names_are_those_of_the_papers() -> None:
    assert {"wgan", "vanilla", "oracle", "empirical", "gaussian"} <= set(registry.files("method"))
    assert {"none", "clip", "gp", "lp"} <= set(registry.files("constraint"))
    assert {"mlp", "groupsort", "spectral"} <= set(registry.files("net"))


def test_a_typing_mistake_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"^net 'grupsort' is unknown; did you mean 'groupsort'\? Accepted: .*mlp"):
        registry.load("net", "grupsort")


def test_listing_imports_neither_torch_nor_any_piece() -> None:
    program = (
        "import sys; from wgpipe import registry; print([registry.files(kind) for kind in registry.FOLDERS]);"
        "loaded = [name for name in sys.modules if name == 'torch' or name.startswith(('wgpipe.nets', 'wgpipe.data'))];"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "groupsort" in done.stdout


class TestAUsersOwnFile:
    def test_it_is_listed_and_loaded(self, mine: Path) -> None:
        registry.add_files("method", {"mine": mine})
        assert registry.files("method")["mine"] == mine
        piece = registry.load("method", "mine")
        assert piece(weight=3.0).weight == 3.0
        assert piece.cites == ("me2020",)

    def test_it_is_not_run_before_it_is_used(self, mine: Path, tmp_path: Path) -> None:
        mine.write_text(MINE + f"\n\nopen({str(tmp_path / 'ran')!r}, 'w').close()\n")
        registry.add_files("method", {"mine": mine})
        assert "mine" in registry.files("method")
        assert not (tmp_path / "ran").exists()
        registry.load("method", "mine")
        assert (tmp_path / "ran").exists()

    def test_another_file_takes_its_name_over(self, mine: Path, tmp_path: Path) -> None:
        registry.add_files("method", {"mine": mine})
        registry.load("method", "mine")
        other = tmp_path / "other.py"
        other.write_text(MINE.replace("2.0", "7.0"))
        registry.add_files("method", {"mine": other})
        assert registry.load("method", "mine")().weight == 7.0

    def test_the_decorator_may_be_reached_through_its_module(self, tmp_path: Path) -> None:
        file = tmp_path / "qualified.py"
        file.write_text(
            MINE.replace("from wgpipe.registry import register", "from wgpipe import registry").replace(
                "@register", "@registry.register"
            )
        )
        assert registry.registered_names(file) == ["mine"]

    def test_it_may_not_take_a_name_of_the_package(self, tmp_path: Path) -> None:
        file = tmp_path / "my_wgan.py"
        file.write_text(MINE.replace('"mine"', '"wgan"'))
        with pytest.raises(UserError, match=r"'wgan' is a method of wgpipe itself.*my_wgan\.py"):
            registry.add_files("method", {"wgan": file})

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"'mine' points to .*absent\.py, which is not a file"):
            registry.add_files("method", {"mine": tmp_path / "absent.py"})

    def test_a_file_without_the_name_says_which_it_has(self, mine: Path) -> None:
        with pytest.raises(UserError, match=r"does not register 'mien'; did you mean 'mine'\?"):
            registry.add_files("method", {"mien": mine})

    def test_a_piece_of_another_kind_is_refused(self, mine: Path) -> None:
        registry.add_files("constraint", {"mine": mine})
        with pytest.raises(UserError, match=r"my_method\.py registers 'mine', but not as a constraint"):
            registry.load("constraint", "mine")

    def test_broken_syntax_is_a_users_error_with_its_line(self, tmp_path: Path) -> None:
        file = tmp_path / "broken.py"
        file.write_text("x = 1\nclass Broken(:\n")
        with pytest.raises(UserError, match=r"broken\.py, line 2: "):
            registry.add_files("method", {"mine": file})

    def test_what_is_not_text_is_a_users_error(self, tmp_path: Path) -> None:
        file = tmp_path / "binary.py"
        file.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(UserError, match=r"binary\.py is not Python source"):
            registry.add_files("method", {"mine": file})

    def test_a_failing_import_is_a_users_error_with_its_reason(self, mine: Path) -> None:
        mine.write_text("import no_such_package\n" + MINE)
        registry.add_files("method", {"mine": mine})
        with pytest.raises(UserError, match=r"my_method\.py cannot be imported: .*no_such_package"):
            registry.load("method", "mine")
