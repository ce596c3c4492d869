"""What a measurement runs in: a fast model service, a database, topics and workers of its own."""
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(os.environ.get("QUERN_BIN", ROOT / "build/release/bin"))
RUN = pathlib.Path(os.environ["QUERN_RUN"])
TICK = os.sysconf("SC_CLK_TCK")
WORDS = "The quarterly report of the northern branch describes the state of all shipments. "


def port(name):
    return int((RUN / "ports" / name).read_text())


def cpu(pids):
    """CPU seconds of processes and their dead children."""
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(int(x) for x in fields[11:15])
    return total / TICK


def memory(pid, field):
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(x.split()[1]) * 1024 for x in status.splitlines() if x.startswith(field)), 0)


def peak_rss(pid):
    """Bytes."""
    return memory(pid, "VmHWM")


def resident(pid):
    """Bytes, now."""
    return memory(pid, "VmRSS")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def scratch():
    """A new directory for a run's files."""
    path = RUN / "bench" / secrets.token_hex(4)
    path.mkdir(parents=True)
    return path


def watch(command, **options):
    """Runs a program to its end; returns its (CPU seconds, peak bytes, time of its end). The peak is looked at while
    it runs: the system's own record of it begins with what the parent was."""
    process = subprocess.Popen([str(x) for x in command], **options)
    peak = 0
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        peak = peak_rss(process.pid) or peak
        time.sleep(0.02)
    if status:
        sys.exit(f"bench: {command[0]} failed")
    return used.ru_utime + used.ru_stime, peak, time.time()


def partitions(log):
    """What a worker's log says of the normal lane's partitions it was given (and, below zero, lost)."""
    for line in log.splitlines():
        told = json.loads(line)
        if told.get("of") == "normal" and "count" in told:
            yield told["count"] if "assigned" in told["msg"] else -told["count"]


def say_once(what, told=set()):
    if what not in told:
        print(f"bench: {what}", file=sys.stderr)
        told.add(what)


def peer(path, without):
    """A peer's program; None: there is none, which is told once."""
    path = RUN / "bench" / path
    if not path.exists():
        say_once(without)
    return path if path.exists() else None


def python():
    """Of the peers in Python, with their modules."""
    return peer("venv/bin/python", "no peers in Python: they could not be installed")


def go_peer():
    return peer("go-peer", "no peer in Go: it could not be built (go 1.22 or later is needed)")


def tree(pid):
    """A process and all that came of it."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [pid, *(p for c in children for p in tree(int(c)))]


def server(name):
    """The processes of a server that ./dev started."""
    return tree(int((RUN / "pid" / name).read_text().split()[0]))


class Stub:
    """The fast model service."""

    def __init__(self, latency_ms):
        self.port = free_port()
        self.process = subprocess.Popen([BIN / "bench-stub", str(self.port), str(latency_ms)])
        for _ in range(100):
            try:
                self.read()
                break
            except OSError:
                time.sleep(0.02)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as r:
            return json.load(r)

    def read(self):
        """What it has seen since the last reading."""
        return self.get("/")

    def peek(self):
        """The same, without counting anew."""
        return self.get("/peek")

    def stop(self):
        self.process.kill()
        self.process.wait()


class World:
    """A database, topics and a configuration of a run's own."""

    def __init__(self, stub, fairness=None, guards=None, **worker):
        token = secrets.token_hex(4)
        self.database = f"quern_bench_{token}"
        url = f"postgresql://quern@127.0.0.1:{port('postgres')}/"
        self.admin = psycopg.connect(url + "postgres", autocommit=True)
        self.admin.execute(f"CREATE DATABASE {self.database}")
        self.db = psycopg.connect(url + self.database, autocommit=True)
        self.dir = scratch()
        self.config = {
            "kafka": {"brokers": f"127.0.0.1:{port('kafka')}", "topic_prefix": f"b{token}.",
                      "group": f"b{token}", "partitions": 8},
            "database": {"url": url + self.database},
            "worker": worker,
            "fairness": fairness or {},
            "guards": guards or {},
            "backends": [{"name": "stub", "base_url": f"http://127.0.0.1:{stub.port}/v1"}],
            "models": [{"name": "*", "candidates": [{"backend": "stub"}]}],
        }
        (self.dir / "quern.yaml").write_text(json.dumps(self.config))
        self.quern("migrate", "up")
        self.quern("topics", "create")
        self.workers = []

    def quern(self, *args, stdin=None):
        env = {**os.environ, "QUERN_CONFIG": str(self.dir / "quern.yaml")}
        return subprocess.run([BIN / "quern", *map(str, args)], env=env, stdin=stdin, check=True,
                              capture_output=True, text=True)

    def submit(self, lines, job="bench", **options):
        path = self.dir / f"{job}.jsonl"
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(lines)
        extra = [x for k, v in options.items() for x in (f"--{k}", v)]
        self.quern("submit", path, "--job", job, *extra)

    def run_measured(self, *args):
        """Runs quern; returns what it used."""
        env = {**os.environ, "QUERN_CONFIG": str(self.dir / "quern.yaml")}
        return watch([BIN / "quern", *map(str, args)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait_jobs(self, pattern, count, timeout=600):
        """Until jobs of such names have so many results."""
        self.wait_for("SELECT count(*) FROM results r JOIN jobs j ON j.id = r.job_id WHERE j.name LIKE %s",
                      pattern, count, timeout)

    def wait_rows(self, job, count, timeout=600):
        """Until the job of this id has so many results."""
        self.wait_for("SELECT count(*) FROM results WHERE job_id = %s", job, count, timeout)

    def wait_for(self, sql, parameter, count, timeout):
        end = time.time() + timeout
        while self.db.execute(sql, [parameter]).fetchone()[0] < count:
            if time.time() > end:
                sys.exit(f"bench: {parameter} was not done in {timeout} s; see {self.dir}")
            time.sleep(0.02)

    def start_worker(self, wrap=()):
        env = {**os.environ, "QUERN_CONFIG": str(self.dir / "quern.yaml")}
        log = open(self.dir / f"worker-{len(self.workers)}.log", "wb")
        w = subprocess.Popen([*wrap, BIN / "quern-worker"], env=env, stdout=log, stderr=log)
        self.workers.append(w)
        return w

    def wait_shared(self, timeout=120):
        """Until each worker has had its part of the partitions, and no more than that."""
        end = time.time() + timeout
        least = self.config["kafka"]["partitions"] // len(self.workers)
        while True:
            logs = [(self.dir / f"worker-{i}.log").read_text() for i in range(len(self.workers))]
            if all(sum(partitions(log)) in (least, least + 1) for log in logs):
                return
            if time.time() > end:
                sys.exit(f"bench: the workers do not share their work after {timeout} s; see {self.dir}")
            time.sleep(0.1)

    def transactions(self):
        return self.db.execute("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()").fetchone()[0]

    def done(self):
        return self.db.execute("SELECT coalesce(sum(succeeded + failed), 0)::bigint FROM job_counters").fetchone()[0]

    def wait(self, count, timeout=600, poll=0.02):
        """Until so many results are committed; returns when, in seconds since 1970."""
        end = time.time() + timeout
        while self.done() < count:
            if time.time() > end:
                sys.exit(f"bench: {self.done()} of {count} tasks were done in {timeout} s; see {self.dir}")
            time.sleep(poll)
        return time.time()

    def close(self, kill=False):
        for w in self.workers:
            w.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        for w in self.workers:
            w.wait()
        self.last_transactions = self.transactions()
        self.db.close()
        self.admin.execute(f"DROP DATABASE {self.database} WITH (FORCE)")
        self.admin.close()


def prose_lines(count, size=2000):
    """The same with prose in which guards find next to nothing, a few hundred different ones."""
    rows = (ROOT / "tests/data/grounded_held.jsonl").read_text(encoding="utf-8").splitlines()
    sources, texts = [json.loads(row)["source"] for row in rows], []
    for source in sources:
        if texts and len(texts[-1]) < size:
            texts[-1] += "\n\n" + source
        else:
            texts.append(source)
    for i in range(count):
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": texts[i % (len(texts) - 1)][:size]}]}
        yield json.dumps({"custom_id": f"p-{i}", "method": "POST", "url": "/v1/chat/completions", "body": body},
                         ensure_ascii=False) + "\n"


def task_lines(count, size=2000, prefix="t", model="gpt-4o-mini"):
    """Batch lines with bodies of about `size` bytes, all different."""
    text = (WORDS * (size // len(WORDS) + 1))[:size - 90]
    for i in range(count):
        body = {"model": model, "messages": [{"role": "user", "content": f"{prefix}-{i} {text}"}]}
        yield json.dumps({"custom_id": f"{prefix}-{i}", "method": "POST", "url": "/v1/chat/completions",
                          "body": body}) + "\n"
