#!/usr/bin/env python3
"""examples/slurm on a cluster of this machine alone: real slurmctld, slurmd and munged, in a folder of their
own, on ports of their own, stopped at the end.

A season of two episodes. One task is killed once and tried again by Slurm; one fails for good, and the job
that joins encodes its segment. The outputs have the bytes of `kizunasr upscale`.

  slurm.py KIZUNASR SAMPLE EXAMPLES

Ends with `N passed, N failed, N skipped`, or with status 77 where Slurm is not installed.
"""
import getpass, hashlib, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, time

from checks import check, finish, run

program, sample, examples = (os.path.abspath(p) for p in sys.argv[1:4])
os.environ["PATH"] += ":/usr/sbin:/sbin"
EPISODES = ("episode 01", "episode 02")
OPTIONS = ("--preset", "ultrafast")
LIMIT = 60  # seconds for all jobs

CONFIG = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={room}/run/munge.socket
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={room}/state
SlurmdSpoolDir={room}/spool
SlurmctldPidFile={room}/slurmctld.pid
SlurmdPidFile={room}/slurmd.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,sched_min_interval=100000
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=8000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE
"""
# Notes every call of a job, and fails where it is told to.
WRAPPER = """#!/bin/sh
echo "$* ${{SLURM_RESTART_COUNT:-0}}" >> {room}/calls
case "$*" in
*01.mkv.kizunasr*"--segment 1 "*)
    mkdir {room}/killed 2>/dev/null && kill -9 $$ ;;
*02.mkv.kizunasr*"--segment 0 "*)
    exit 2 ;;
esac
exec {program} "$@"
"""


def free_ports():
    sockets = [socket.socket() for _ in range(2)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def start(room, daemons):
    """Returns "" once the node takes jobs, or what the daemons said."""
    for name in ("run", "state", "spool", "bin"):
        (room / name).mkdir(mode=0o755)
    (room / "munge.key").write_bytes(os.urandom(1024))
    (room / "munge.key").chmod(0o600)
    config = room / "slurm.conf"
    config.write_text(CONFIG.format(room=room, host=socket.gethostname().split(".")[0], ports=free_ports(),
                                    user=getpass.getuser()))
    os.environ["SLURM_CONF"] = str(config)
    log = open(room / "log", "wb")
    munged = ("munged", "--foreground", f"--key-file={room}/munge.key", f"--socket={room}/run/munge.socket",
              f"--pid-file={room}/run/munged.pid", f"--log-file={room}/munged.log", f"--seed-file={room}/munge.seed")
    for command in (munged, ("slurmctld", "-D", "-f", str(config)), ("slurmd", "-D", "-f", str(config))):
        daemons.append(subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True))
        time.sleep(0.3)
    for _ in range(100):
        if "idle" in run("sinfo", "--noheader", cwd=room).stdout:
            return ""
        time.sleep(0.2)
    return (room / "log").read_text(errors="replace")[-3000:]


def stop(daemons):
    subprocess.run(["scancel", "--user", getpass.getuser()], capture_output=True, timeout=20)
    time.sleep(0.5)
    for daemon in reversed(daemons):
        daemon.send_signal(signal.SIGTERM)
    for daemon in daemons:
        try:
            daemon.wait(10)
        except subprocess.TimeoutExpired:
            daemon.kill()


def wait_for_jobs(room):
    """Returns what is still in the queue."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        queue = run("squeue", "--noheader", cwd=room).stdout
        if not queue.strip():
            return ""
        if "BeginTime" in queue:  # Slurm has tasks that are tried again wait for two minutes
            for task in [line.split()[0] for line in queue.splitlines() if "BeginTime" in line]:
                run("scontrol", "update", f"JobId={task}", "StartTime=now", cwd=room)
        time.sleep(0.3)
    return queue


def hash_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def season(room):
    (room / "bin/kizunasr").write_text(WRAPPER.format(room=room, program=program))
    (room / "bin/kizunasr").chmod(0o755)
    (room / "season").mkdir()
    for i, name in enumerate(EPISODES):
        run(sample, "--width", "96", "--height", "64", "--frames", str(240 + 120 * i), "--fps", "15", "--gop", "15",
            str(room / f"season/{name}.mkv"))
    env = dict(os.environ, PATH=f"{room}/bin:{os.environ['PATH']}")
    script = (os.path.join(examples, "upscale-season"), "season", "out", *OPTIONS)
    r = run(*script, cwd=room, env=env)
    check(r.returncode == 0 and r.stdout.count(" segments in job ") == 2, "the season is planned and submitted", r.stdout + r.stderr)
    again = run(*script, cwd=room, env=env)
    check(again.stdout == "".join(f"{name}.mkv: in the queue\n" for name in EPISODES), "once", again.stdout + again.stderr)
    queue = wait_for_jobs(room)
    logs = "".join(f"{p.name}: {p.read_text(errors='replace')}" for p in sorted((room / "out/logs").iterdir()))
    check(queue == "", "all jobs end", queue + logs)
    for name in EPISODES:
        alone = room / "alone.mkv"
        run(program, "upscale", str(room / f"season/{name}.mkv"), str(alone), *OPTIONS, "--overwrite")
        check(hash_of(alone) is not None and hash_of(alone) == hash_of(room / f"out/{name}.mkv"), f"{name}: the bytes of upscale", logs)
        check(not (room / f"out/{name}.mkv.kizunasr").exists(), f"{name}: the work folder is removed")
    calls = [line for line in (room / "calls").read_text().splitlines() if not line.startswith("plan ")]
    first, second = ([c for c in calls if f"{name}.mkv.kizunasr" in c] for name in EPISODES)
    tries = [c[-1] for c in first if "--segment 1 " in c]
    check(tries == ["0", "1"], "a task that was killed is tried again by Slurm", first)
    check([c[-1] for c in second if "--segment 0 " in c] == ["0"], "one that is refused is not", second)
    for of_one in (first, second):
        check(of_one[-1].startswith("join ") and of_one[-2].startswith("work ") and "--segment" not in of_one[-2],
              "what is missing is encoded after all tasks, and joined", of_one)
    done = run(*script, cwd=room, env=env)
    check(done.stdout == "".join(f"{name}.mkv: finished\n" for name in EPISODES), "what is finished is not submitted", done.stdout + done.stderr)


missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if not shutil.which(name)]
if missing:
    print(f"skipped: {', '.join(missing)} not installed (tools/setup check)")
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    daemons = []
    try:
        os.chmod(folder, 0o755)
        trouble = start(pathlib.Path(folder), daemons)
        if check(not trouble, "a cluster of this machine", trouble):
            season(pathlib.Path(folder))
    finally:
        stop(daemons)
finish()
