"""A Slurm cluster of two nodes on this machine, for tests: Debian's daemons on loopback, without systemd or cgroups.

Everything lies below one folder and is named by one file, its slurm.conf. All that belongs to the cluster (daemons,
jobs, and whoever was given its environment, such as a Snakemake) has the path of that file in its environment. By this
it is found when it has to end, and nothing else is.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGES = {"munged": "munge", "slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client"}
CLIENTS = ("sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo", "sacct", "sacctmgr", "sshare")
NODES = ("node1", "node2")
GPU_NODE, GPUS = "node1", 2
CPUS, MEMORY_MB = 4, 6000  # that each node claims, whatever the machine has
KILL_WAIT = 15  # seconds between SIGTERM and SIGKILL

SLURM_CONF = """\
ClusterName=wgpipe
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.sock
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# without cgroups, the memory of a job is looked at every two seconds
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
DefMemPerCPU=500
GresTypes=gpu
ReturnToService=2
SlurmdTimeout=10
SlurmctldTimeout=30
KillWait={kill_wait}
MessageTimeout=10
MinJobAge=3600
TreeWidth=1000
SchedulerParameters=batch_sched_delay=0,bf_interval=1,requeue_delay=0
AccountingStorageType=accounting_storage/none
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
{nodes}
PartitionName=main Nodes=ALL Default=YES DefaultTime=60 MaxTime=INFINITE State=UP
PartitionName=second Nodes=ALL DefaultTime=60 MaxTime=INFINITE State=UP
PartitionName=urgent Nodes=ALL DefaultTime=60 MaxTime=INFINITE State=UP PriorityTier=2
"""


class Cluster:
    """Daemons below a folder; they end when `stop` is called, or when the process `owner` is no more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self.log = folder / "log"

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to see this cluster and no other."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SBATCH_"))}
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}{os.pathsep}/usr/sbin"
        return {**kept, "SLURM_CONF": str(self.conf), "PATH": path}

    def start(self, owner: int) -> None:
        """All daemons; back when both nodes are idle."""
        install_packages()
        for name in ("log", "bin", "state", "spool", "dev"):
            (self.folder / name).mkdir(parents=True)
        self._configure()
        self._spawn("watch", sys.executable, __file__, str(self.folder), str(owner))
        key, sock = self.folder / "munge.key", self.folder / "munge.sock"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        munged = ["munged", "--foreground", "--force", f"--socket={sock}", f"--key-file={key}"]
        munged += [f"--{name}-file={self.folder / 'munged'}.{name}" for name in ("pid", "log", "seed")]
        self._spawn("munged", *munged)
        _await(sock.exists, "munged", self.log / "munged.out")
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        _await(self.idle, "idle nodes", self.log / "slurmctld.log")

    def stop(self) -> None:
        """End everything that belongs to the cluster, jobs first, and remove its folder."""
        if self.answers():
            self.run("scancel", f"--user={os.getuid()}", check=False)
            with_limit(lambda: not self.run("squeue", "--noheader", check=False), seconds=5)
        for how in (signal.SIGTERM, signal.SIGKILL):
            _signal(self.processes(), how)
            with_limit(lambda: not list(self.processes()), seconds=5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_controller(self) -> None:
        """slurmctld, with the state that it saved."""
        self._spawn("slurmctld", "slurmctld", "-D", "-f", str(self.conf))
        _await(self.answers, "slurmctld", self.log / "slurmctld.log")

    def stop_controller(self) -> None:
        """As an administrator does: it saves its state; jobs go on."""
        found = list(self.processes(r"slurmctld "))
        _signal(found, signal.SIGTERM)
        assert with_limit(lambda: not any(map(_lives, found)), seconds=20)

    def start_node(self, node: str) -> None:
        """The daemon of a node."""
        (self.folder / "spool" / node).mkdir(exist_ok=True)
        self._spawn(f"slurmd.{node}", "slurmd", "-D", "-f", str(self.conf), "-N", node)

    def kill_node(self, node: str) -> None:
        """As if its power went: no process of the node has a last word, so all stand still before the first dies."""
        found = [*self.processes(rf"slurmd .*-N {node}"), *self.processes(environment=f"SLURMD_NODENAME={node}")]
        found += [pid for pid in self.processes(r"slurmstepd:") if self._node_of(pid) == node]
        _signal(found, signal.SIGSTOP)
        _signal(found, signal.SIGKILL)

    def answers(self) -> bool:
        """Whether the controller does."""
        return "is UP" in self.run("scontrol", "ping", check=False)

    def idle(self) -> bool:
        """Whether all nodes are."""
        listed = self.run("sinfo", "--noheader", "--Node", "--partition=main", "--format=%T", check=False)
        return listed.split() == ["idle"] * len(NODES)

    def run(self, *command: str, check: bool = True) -> str:
        """A client's output, of at most a minute."""
        done = subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def job(self, number: str) -> dict[str, str]:
        """What Slurm knows about a job, by field."""
        shown = self.run("scontrol", "show", "job", "--details", number)
        return dict(word.partition("=")[::2] for word in shown.split() if "=" in word)

    def processes(self, command: str = "", environment: str = "") -> Iterator[int]:
        """Ids of those that belong to the cluster, whose command line matches and whose environment has an entry."""
        wanted = {f"SLURM_CONF={self.conf}".encode(), *([environment.encode()] if environment else [])}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdecimal() and int(entry.name) != os.getpid():
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if wanted <= set((entry / "environ").read_bytes().split(b"\0")) and re.search(command, line):
                        yield int(entry.name)
            except OSError:  # it has ended, or is not ours to read
                continue

    def _node_of(self, step: int) -> str:
        """The node whose folder a step's daemon listens in."""
        inodes = {match[1] for fd in _links(step) if (match := re.fullmatch(r"socket:\[(\d+)\]", fd))}
        for line in Path("/proc/net/unix").read_text().splitlines():
            fields = line.split()
            if len(fields) > 7 and fields[6] in inodes and fields[7].startswith(f"{self.folder}/spool/"):
                return Path(fields[7]).relative_to(self.folder / "spool").parts[0]
        return ""

    def _configure(self) -> None:
        ports = _free_ports(1 + len(NODES))
        host = socket.gethostname().split(".")[0]
        nodes = [
            f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={CPUS} RealMemory={MEMORY_MB}"
            + (f" Gres=gpu:{GPUS}" if node == GPU_NODE else "")
            for node, port in zip(NODES, ports[1:], strict=True)
        ]
        user = subprocess.check_output(["id", "-un"], text=True).strip()
        settings = {"host": host, "ports": ports, "user": user, "folder": self.folder, "kill_wait": KILL_WAIT}
        self.conf.write_text(SLURM_CONF.format(nodes="\n".join(nodes), **settings))
        # slurmd loads a cgroup plugin even where nothing uses cgroups; that of version 1 does nothing unless asked
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        for number in range(GPUS):
            self._fake_gpu(self.folder / "dev" / f"nvidia{number}")
        files = f"{self.folder}/dev/nvidia[0-{GPUS - 1}]"
        (self.folder / "gres.conf").write_text(f"NodeName={GPU_NODE} Name=gpu File={files} Flags=nvidia_gpu_env\n")
        for client in CLIENTS:
            # the plugin takes SLURM_CONF away from the srun inside a job, but leaves PATH
            wrapper = self.folder / "bin" / client
            wrapper.write_text(f'#!/bin/sh\nSLURM_CONF="{self.conf}" exec {shutil.which(client)} "$@"\n')
            wrapper.chmod(0o755)

    def _fake_gpu(self, file: Path) -> None:
        """A twin of /dev/null, which makes Slurm say which device a job has; where it cannot be made, a plain file."""
        try:
            os.mknod(file, 0o666 | 0o020000, os.makedev(1, 3))
        except PermissionError:
            file.touch()

    def _spawn(self, name: str, *command: str) -> None:
        with (self.log / f"{name}.out").open("a") as out:
            subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )


def install_packages() -> None:
    """What is missing, as root."""
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program, path=_PATH)]
    if not missing:
        return
    if os.getuid():
        raise RuntimeError(f"Slurm's tests need the packages {', '.join(missing)}: install them as root.")
    policy = Path("/usr/sbin/policy-rc.d")  # packages must not start the services of the whole system
    mine = not policy.exists()
    if mine:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.PIPE, "text": True}
        for command in (["update", "-qq"], ["install", "-y", "-q", "--no-install-recommends", *missing]):
            done = subprocess.run(["apt-get", *command], stderr=subprocess.STDOUT, check=False, timeout=300, **quiet)
            if done.returncode:
                raise RuntimeError(f"apt-get {' '.join(command)} failed:\n{done.stdout[-2000:]}")
    finally:
        if mine:
            policy.unlink()


def with_limit(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until a condition holds, at most so long: whether it does."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


_PATH = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"


def _await(condition: Callable[[], bool], what: str, log: Path) -> None:
    if not with_limit(condition, seconds=60):
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:]) if log.is_file() else "(no log)"
        raise RuntimeError(f"waited a minute for {what}; {log} ends with\n{tail}")


def _signal(processes: Iterator[int] | list[int], how: signal.Signals) -> None:
    for pid in processes:
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            continue


def _lives(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def _links(pid: int) -> list[str]:
    found = []
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            found.append(str(descriptor.readlink()))
    except OSError:
        pass
    return found


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _watch(folder: Path, owner: int) -> None:
    """End a cluster when its owner is no more, however that ended."""
    while _lives(owner):
        time.sleep(1)
    Cluster(folder).stop()


if __name__ == "__main__":
    _watch(Path(sys.argv[1]), int(sys.argv[2]))
