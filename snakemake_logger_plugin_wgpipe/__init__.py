"""Progress for a person: a Snakemake logger plugin that says one line when a job ends, with the time that is left.

Warnings and errors appear as Snakemake words them. So does everything else where the person asked for more or less than
usual (`--dry-run`, `--verbose`, `--quiet`, `--printshellcmds`, `--debug-dag`) and where nothing is run (`--report`,
`--lint`, `--unlock` and the like). Snakemake's own words of every run stay in .snakemake/log.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from contextlib import suppress

from snakemake.logging import ColorizingTextHandler, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_wgpipe import lines
from snakemake_logger_plugin_wgpipe.run import Job, Run
from snakemake_logger_plugin_wgpipe.screen import Screen

LIVE_SECONDS = 1.0  # between two status lines on a terminal
FIRST_SECONDS, LONGEST_SECONDS = 10.0, 60.0  # and in a file, where the pause doubles while no job ends
MANY = 1_000_000  # Snakemake says "no limit" by a larger number

PLANNING = "Building DAG of jobs"
FULL_LOG = "Complete log(s): "
CHATTER = re.compile(
    f"{PLANNING}|Using shell:|Group jobs: inactive|Conda environments: ignored|Singularity containers: ignored"
    "|Select jobs to execute|Shutting down|Elapsed time:|Updating checkpoint dependencies|SLURM run ID:"
    r"|Job \S+ has been submitted|Cleaning up SLURM log files|Job rate limit reached|Touching output file"
)


class LogHandler(LogHandlerBase):
    """Calm progress on stderr. It never raises: if a line cannot be made, Snakemake's own take over."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        logging.raiseExceptions = False  # Snakemake's log file may lie on a full disk: no page of traceback a line
        asked = self.common_settings
        stream = sys.stdout if asked.stdout else sys.stderr
        words = DefaultFormatter(asked.quiet, asked.show_failed_logs)
        self._default = ColorizingTextHandler(nocolor=asked.nocolor, stream=stream, formatter=words)
        self._screen = Screen(stream, live=self._default.can_color_tty())
        self._plain = bool(asked.dryrun or asked.quiet or asked.verbose or asked.debug_dag or asked.printshellcmds)
        self._held: list[logging.LogRecord] = []
        self._executing = False
        self._slots: int | None = None
        self._capacity = ""
        self._run: Run | None = None
        self._full_log = ""
        self._closed = threading.Event()
        self.pause = LIVE_SECONDS if self._screen.live else FIRST_SECONDS
        self._spoke = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if self._plain:
            self._pass_on(record)
            return
        try:
            self._take(record)
        except Exception:
            self._plain = True
            self._pass_on(record)

    def tick(self, now: float) -> None:
        """Say what the running jobs do, if nothing was said for a while."""
        if self._run is None or self._plain or now - self._spoke < self.pause:
            return
        self._screen.status(lines.waiting(self._run, now))
        self._spoke = now
        if not self._screen.live:
            self.pause = min(2 * self.pause, LONGEST_SECONDS)

    def close(self) -> None:
        """The last line: how the run ended."""
        with suppress(Exception):
            self.acquire()
            try:
                if not self._closed.is_set():
                    self._closed.set()
                    self._release_held()
                    self._end(time.time())
            finally:
                self.release()
        super().close()

    def _take(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if event == LogEvent.WORKFLOW_STARTED:
            self._held.clear()
            self._executing = True
        elif not self._executing:
            self._prepare(record)
        elif record.levelno >= logging.WARNING:
            self._complain(record)
        else:
            self._tell(event, record)

    def _prepare(self, record: logging.LogRecord) -> None:
        """Before a run: only planning without a run tells that there will be none, so remarks wait until then."""
        planning = record.getMessage().startswith(PLANNING)
        if record.levelno < logging.WARNING and not planning:
            self._held.append(record)
            return
        self._release_held()
        self._plain = planning
        self._pass_on(record)

    def _tell(self, event: LogEvent | None, record: logging.LogRecord) -> None:
        match event:
            case None:
                self._remark(record)
            case LogEvent.RESOURCES_INFO:
                self._resources(record)
            case LogEvent.RUN_INFO:
                self._begin(record)
            case LogEvent.JOB_INFO:
                self._start(record)
            case LogEvent.JOB_FINISHED:
                self._finish(record)

    def _complain(self, record: logging.LogRecord) -> None:
        if self._run is not None and getattr(record, "event", None) == LogEvent.JOB_ERROR:
            self._run.fail(record.jobid)  # type: ignore[attr-defined]
        self._pass_on(record)

    def _remark(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message.startswith("Nothing to be done"):
            self._screen.line(lines.NOTHING)
        elif message.startswith(FULL_LOG):
            self._full_log = message.removeprefix(FULL_LOG)
        elif not CHATTER.match(message):
            self._pass_on(record)

    def _resources(self, record: logging.LogRecord) -> None:
        for name, phrase in (("cores", "{} cores"), ("nodes", "{} at a time")):
            given = getattr(record, name, None)
            if isinstance(given, int) and 0 < given < MANY:
                self._slots, self._capacity = given, phrase.format(given)

    def _begin(self, record: logging.LogRecord) -> None:
        self._run = Run.of(record.stats, record.created, self._slots)  # type: ignore[attr-defined]
        self._say(lines.opening(self._run, self._capacity, record.created), record.created)
        threading.Thread(target=self._tick_until_closed, name="progress", daemon=True).start()

    def _start(self, record: logging.LogRecord) -> None:
        if self._run is not None:
            fields = vars(record)
            log = next(iter(fields["log"] or ()), "")
            job = Job(fields["rule_name"], dict(fields["wildcards"] or {}), str(log), record.created)
            self._run.start(fields["jobid"], job)

    def _finish(self, record: logging.LogRecord) -> None:
        ended = self._run and self._run.finish(record.job_id, record.created)  # type: ignore[attr-defined]
        if self._run is not None and ended:
            self._say(lines.ended(self._run, *ended, record.created), record.created)

    def _end(self, now: float) -> None:
        if self._run is not None and not self._plain:
            self._screen.line(lines.closing(self._run, now, self._full_log))

    def _say(self, text: str, now: float) -> None:
        self._screen.line(text)
        self._spoke = now
        if not self._screen.live:
            self.pause = FIRST_SECONDS

    def _release_held(self) -> None:
        for record in self._held:
            self._pass_on(record)
        self._held.clear()

    def _pass_on(self, record: logging.LogRecord) -> None:
        with suppress(Exception):
            self._screen.clear()
            self._default.emit(record)

    def _tick_until_closed(self) -> None:
        while not self._closed.wait(min(1.0, self.pause)):
            self.acquire()
            try:
                if not self._closed.is_set():
                    self.tick(time.time())
            except Exception:
                self._plain = True
            finally:
                self.release()
