"""Where an artefact comes from, as far as it is no part of its identity: git, machine, times, versions, inputs.

`wgpipe` writes it beside what a verb has made. It holds what a clock or a machine decides, so it is no input of any
result and in no manifest. A block has its own; what is measured or drawn from blocks names its inputs by sha256.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from wgpipe.audit.fingerprint import PACKAGE
from wgpipe.hashes import sha256
from wgpipe.memory import peak_mb
from wgpipe.train.files import write_json

FILE = "provenance.json"
LARGEST = 1 << 20  # bytes of an input that is hashed; larger ones are named by a record beside them


class Clock:
    """When a process began, and what it has used since."""

    def __init__(self) -> None:
        self.began, self.wall = datetime.now(UTC), time.monotonic()

    def used(self) -> dict[str, Any]:
        """Times in UTC and seconds, peak memory in MB."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "started": self.began.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "wall_seconds": round(time.monotonic() - self.wall, 3),
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
            "peak_mb": round(peak_mb(), 1),
        }


def beside(artefact: Path) -> Path:
    """`measures/ring/wgan.parquet` -> `measures/ring/wgan.provenance.json`."""
    return artefact.with_suffix(f".{FILE}")


def write(
    file: Path, command: Sequence[str], code: str, inputs: Iterable[Path], versions: Iterable[str], clock: Clock
) -> None:
    """The provenance of what `command` has made by code of this fingerprint."""
    small = {str(path): sha256(path) for path in inputs if path.is_file() and path.stat().st_size <= LARGEST}
    content = {
        "command": list(command),
        "code": code,
        "git": git_state(),
        "inputs": small,
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in versions}},
        "machine": machine(),
        **clock.used(),
    }
    write_json(file, content)


def read(file: Path) -> dict[str, Any]:
    """What was written; empty where there is none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def code_of(file: Path) -> str | None:
    """The fingerprint in a provenance file, if there is one."""
    code = read(file).get("code")
    return None if code is None else str(code)


def machine() -> dict[str, Any]:
    """Processor, operating system and cores: no name, no user."""
    return {"cpu": cpu(), "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}"}


def cpu() -> str:
    """The processor's model."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def git_state() -> dict[str, Any] | None:
    """Commit of the package's code and its tracked files that differ from it; None where git does not know it."""
    if _git("ls-files", "--error-unmatch", "errors.py") is None:
        return None
    state = _git("status", "--porcelain=v2", "--branch", "--untracked-files=no", "--", ".")
    lines = (state or "").splitlines()
    commit = next((line.split()[2] for line in lines if line.startswith("# branch.oid ")), None)
    return {"commit": commit, "changed": sum(not line.startswith("#") for line in lines)}


def _git(*arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(PACKAGE), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def same_machine(record: Mapping[str, Any]) -> bool | None:
    """Whether a provenance was written on a processor of this model; None where none is recorded."""
    known = record.get("machine")
    return None if not isinstance(known, dict) else known.get("cpu") == cpu()
