"""`python -m bench --out bench/results`: how fast everything is on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import dag, images, machine, scores, train, transport
from bench.cells import Cell


def cell_list(text: str) -> list[Cell]:
    try:
        return [Cell.parse(word) for word in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench/results"), help="folder of the tables and figures")
    parser.add_argument("--quick", action="store_true", help="a few cells and rounds, some minutes")
    parser.add_argument("--cells", type=cell_list, metavar="CELL,…", help="of training alone: wgan-lp:32x64:16,…")
    parser.add_argument(
        "--threads",
        type=int,
        action="append",
        help="of training alone; again for more; otherwise 1, and all cores unless quick",
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    machine.describe(options.out)
    train.main(options.out, options.quick, options.cells, options.threads)
    if not (options.cells or options.threads):  # which are of training alone
        images.main(options.out, options.quick)
        scores.main(options.out, options.quick)
        dag.main(options.out, options.quick)
        transport.main(options.out, options.quick)


if __name__ == "__main__":
    main()
