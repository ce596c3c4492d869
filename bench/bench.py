#!/usr/bin/python3
"""Measures quern on real parts, on this machine; bench/README.md says how. Run it with ./dev bench."""
import argparse
import json
import os
import pathlib
import secrets
import signal
import statistics
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


def peak_rss(pid):
    """Bytes."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def family(name):
    """The process of a server and its children."""
    pid = int((RUN / "pid" / name).read_text().split()[0])
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [pid, *map(int, children)]


class Stub:
    """The fast model service."""

    def __init__(self, latency_ms):
        self.port = int(subprocess.run([sys.executable, "-c", "import socket; s = socket.socket();"
                                        "s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"],
                                       capture_output=True, text=True, check=True).stdout)
        self.process = subprocess.Popen([BIN / "bench-stub", str(self.port), str(latency_ms)])
        for _ in range(100):
            try:
                self.read()
                break
            except OSError:
                time.sleep(0.02)

    def read(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=30) as r:
            return json.load(r)

    def stop(self):
        self.process.kill()
        self.process.wait()


class World:
    """A database, topics and a configuration of a run's own."""

    def __init__(self, stub, **worker):
        token = secrets.token_hex(4)
        self.database = f"quern_bench_{token}"
        url = f"postgresql://quern@127.0.0.1:{port('postgres')}/"
        self.admin = psycopg.connect(url + "postgres", autocommit=True)
        self.admin.execute(f"CREATE DATABASE {self.database}")
        self.db = psycopg.connect(url + self.database, autocommit=True)
        self.dir = RUN / "bench" / token
        self.dir.mkdir(parents=True)
        self.config = {
            "kafka": {"brokers": f"127.0.0.1:{port('kafka')}", "topic_prefix": f"b{token}.",
                      "group": f"b{token}", "partitions": 8},
            "database": {"url": url + self.database},
            "worker": worker,
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

    def start_worker(self):
        env = {**os.environ, "QUERN_CONFIG": str(self.dir / "quern.yaml")}
        log = open(self.dir / f"worker-{len(self.workers)}.log", "wb")
        wrap = os.environ.get("QUERN_WRAP", "").split()  # e.g. valgrind --tool=callgrind
        w = subprocess.Popen([*wrap, BIN / "quern-worker"], env=env, stdout=log, stderr=log)
        self.workers.append(w)
        return w

    def transactions(self):
        return self.db.execute("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()").fetchone()[0]

    def done(self):
        return self.db.execute("SELECT coalesce(sum(succeeded + failed), 0)::bigint FROM job_counters").fetchone()[0]

    def wait(self, count, timeout=600):
        """Until so many results are committed; returns when, in seconds since 1970."""
        end = time.time() + timeout
        while self.done() < count:
            if time.time() > end:
                sys.exit(f"bench: {self.done()} of {count} tasks were done in {timeout} s; see {self.dir}")
            time.sleep(0.01)
        return time.time()

    def close(self):
        for w in self.workers:
            w.send_signal(signal.SIGTERM)
        for w in self.workers:
            w.wait()
        self.db.close()
        self.admin.execute(f"DROP DATABASE {self.database} WITH (FORCE)")
        self.admin.close()


def task_lines(count, size=2000, prefix="t", model="gpt-4o-mini"):
    """Batch lines with bodies of about `size` bytes, all different."""
    text = (WORDS * (size // len(WORDS) + 1))[:size - 90]
    for i in range(count):
        body = {"model": model, "messages": [{"role": "user", "content": f"{prefix}-{i} {text}"}]}
        yield json.dumps({"custom_id": f"{prefix}-{i}", "method": "POST", "url": "/v1/chat/completions",
                          "body": body}) + "\n"


def measure(count, latency_ms, concurrency, workers=1, size=2000):
    """One run on a full queue, from the first call to the last commit."""
    stub = Stub(latency_ms)
    world = World(stub, concurrency=concurrency)
    world.submit(task_lines(count, size))
    stub.read()
    before = {name: cpu(family(name)) for name in ("postgres", "kafka")}
    processes = [world.start_worker() for _ in range(workers)]
    end = world.wait(count)
    worker_cpu = cpu([p.pid for p in processes])
    rss = max(peak_rss(p.pid) for p in processes)
    after = {name: cpu(family(name)) for name in ("postgres", "kafka")}
    told = stub.read()
    wall = end - told["first"]
    world.close()
    stub.stop()
    return {"tasks": count, "wall_s": wall, "per_s": count / wall, "calls": told["calls"],
            "share": count / wall / (concurrency * workers / (latency_ms / 1000)) if latency_ms else None,
            "worker_us": worker_cpu / count * 1e6, "rss_mb": rss / 1e6,
            "postgres_us": (after["postgres"] - before["postgres"]) / count * 1e6,
            "kafka_us": (after["kafka"] - before["kafka"]) / count * 1e6}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--tasks", type=int, default=100000)
    p.add_argument("--latency", type=float, default=0)
    p.add_argument("--concurrency", type=int, default=128)
    a = p.parse_args()
    print(json.dumps(measure(a.tasks, a.latency, a.concurrency), indent=1))


if __name__ == "__main__":
    main()
