"""What was measured on."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.processes import cores
from wgpipe.atomic import atomic

PACKAGES = ("torch", "jax", "jaxlib", "optax", "numpy", "scipy", "pot")


def describe(out: Path) -> None:
    """Write `machine.json`: the CPU's name, the cores that may be used, and versions."""
    facts = {
        "cpu": cpu(),
        "cores": len(cores()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: installed(name) for name in PACKAGES},
    }
    with atomic(out / "machine.json") as path:
        path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def cpu() -> str:
    """Its model's name, where the system tells."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def installed(name: str) -> str | None:
    """A package's version."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
