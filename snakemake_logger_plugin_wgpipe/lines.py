"""The lines that a person reads."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

from snakemake_logger_plugin_wgpipe.run import Job, Run

NOTHING = "Nothing to be done: every file asked for is present and up to date."
WILDCARDS = {"seeds": "seeds {}"}
TAIL_BYTES = 4096
TAIL_CHARACTERS = 80


def opening(run: Run, capacity: str, now: float) -> str:
    """How many jobs of which kind, on what, and how long they may take."""
    kinds = ", ".join(f"{count} {rule}" for rule, count in run.counts.items())
    share = f", {capacity}" if capacity else ""
    return f"{_stamp(now)} {_counted(run.total, 'job')} ({kinds}){share}, {_to_go(run, now)}"


def ended(run: Run, job: Job, seconds: float, now: float) -> str:
    """A job ended: where the run stands."""
    return f"{_standing(run, now)} · {described(job)} took {exactly(seconds)}"


def waiting(run: Run, now: float) -> str:
    """No job ended for a while: what the oldest one does, by the last line of its log."""
    job = run.oldest()
    if job is None:
        return _standing(run, now)
    others = f" (and {len(run.running) - 1} more)" if len(run.running) > 1 else ""
    said = last_line(Path(job.log), since=job.started) if job.log else ""
    detail = f": {said}" if said else ""
    return f"{_standing(run, now)} · {described(job)} for {exactly(now - job.started)}{others}{detail}"


def closing(run: Run, now: float, full_log: str) -> str:
    """How the run ended; after a failure, also where Snakemake's own words are."""
    took = exactly(now - run.started)
    if run.done >= run.total:
        return f"{_stamp(now)} {_counted(run.total, 'job')} done in {took}."
    missing = run.total - run.done - len(run.failed)
    words = [f"{run.done} of {_counted(run.total, 'job')} done"]
    words += [f"{len(run.failed)} failed"] * bool(run.failed) + [f"{missing} left"] * bool(missing)
    log = f" All that Snakemake said: {full_log}" if full_log else ""
    return f"{_stamp(now)} Stopped after {took}: {', '.join(words)}.{log}"


def described(job: Job) -> str:
    """`train surface-2in8 wgan-lp seeds 0-7`."""
    return " ".join([job.rule, *(WILDCARDS.get(name, "{}").format(value) for name, value in job.wildcards.items())])


def exactly(seconds: float) -> str:
    """`11 s`, `9 min 5 s`, `2 h 10 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else _hours(whole)


def roughly(seconds: float) -> str:
    """`20 s`, `9 min`, `2 h 10 min`: rounded up to what an estimate can know."""
    if seconds <= 50:
        return f"{max(10, 10 * math.ceil(seconds / 10))} s"
    return f"{math.ceil(seconds / 60)} min" if seconds <= 5400 else _hours(seconds)


def last_line(log: Path, since: float) -> str:
    """The last line of a log, shortened; empty where there is none, or it was written before `since`."""
    try:
        with log.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if status.st_mtime < since - 1:
                return ""
            stream.seek(max(0, status.st_size - TAIL_BYTES))
            lines = stream.read(TAIL_BYTES).decode("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return "".join(character for character in said if character.isprintable())[:TAIL_CHARACTERS]


def _standing(run: Run, now: float) -> str:
    share = math.floor(100 * run.done / max(1, run.total))
    failed = f", {len(run.failed)} failed" if run.failed else ""
    left = f", {_to_go(run, now)}" if run.done + len(run.failed) < run.total else ""
    return f"{_stamp(now)} {run.done} of {_counted(run.total, 'job')} ({share} %){failed}{left}"


def _to_go(run: Run, now: float) -> str:
    return f"about {roughly(run.seconds_left(now))} to go"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _hours(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def _stamp(now: float) -> str:
    return time.strftime("[%H:%M]", time.localtime(now))
