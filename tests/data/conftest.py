from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The local mirror of downloads: WGPIPE_MIRROR, or shared/mirror beside the checkout."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "mirror"
    folder = Path(os.environ.get("WGPIPE_MIRROR", beside)).expanduser()
    if not folder.is_dir():
        pytest.skip("there is no local mirror: set WGPIPE_MIRROR")
    return folder
