"""The system under chaos: its own Kafka and PostgreSQL, a stub model service, proxies, workers."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from proxy import Proxy  # noqa: E402

BIN = pathlib.Path(os.environ.get("QUERN_BIN", ROOT / "build/debug/bin"))
MODEL = "gpt-4o-mini"


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Worker:
    """A worker process; started again under the same number after each death."""

    def __init__(self, cluster, number):
        self.cluster, self.number, self.starts = cluster, number, 0
        self.popen = None

    def start(self, failpoints=""):
        env = {**os.environ, "QUERN_FAILPOINTS": ",".join(filter(None, [self.cluster.plant, failpoints]))}
        self.starts += 1
        log = open(self.cluster.path / f"worker-{self.number}.log", "ab")
        self.popen = subprocess.Popen([BIN / "quern-worker", "--config", self.cluster.config],
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)

    def running(self):
        return self.popen is not None and self.popen.poll() is None

    def signal(self, number):
        if self.running():
            self.popen.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.popen.wait()


class Cluster:
    def __init__(self, path, workers, concurrency, plant=""):
        self.path, self.plant, self.concurrency = path, plant, concurrency
        self.env = {**os.environ, "QUERN_RUN": str(path / "servers")}
        self.kafka_proxy = self.pg_proxy = self.stub_proxy = None
        self.stub_port, self.stub = free_port(), None
        self.stub_log = path / "stub.jsonl"
        self.config = path / "quern.yaml"
        self.workers = [Worker(self, i) for i in range(workers)]

    # ---- servers ----

    def dev(self, *args):
        done = subprocess.run([ROOT / "dev", *args], env=self.env, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"./dev {' '.join(args)}: {done.stdout}{done.stderr}")

    def port(self, name):
        return int((self.path / "servers/ports" / name).read_text())

    def pid(self, name):
        return int((self.path / "servers/pid" / name).read_text().split()[0])

    def kill_server(self, name, number=signal.SIGKILL):
        pid = self.pid(name)
        os.kill(pid, number)
        while os.path.exists(f"/proc/{pid}"):
            if open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1][0] == "Z":
                break
            time.sleep(0.05)
        time.sleep(0.5)  # PostgreSQL's children notice

    def start_server(self, name):
        for _ in range(20):  # PostgreSQL refuses while a child of the killed one lives
            try:
                self.dev("start", name)
                return
            except RuntimeError as e:
                error = e
                time.sleep(0.5)
        raise error

    def start_stub(self):
        self.stub = subprocess.Popen(
            [BIN / "stub-model", "--port", str(self.stub_port), "--latency", "0.2", "--jitter", "0.6",
             "--retry-after", "1", "--log", self.stub_log],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.path / "stub.log", "ab"))

    def stub_fault(self, kind, rate):
        url = f"http://127.0.0.1:{self.stub_port}/stub/fault/{kind}={rate}"
        urllib.request.urlopen(url, timeout=5).read()

    def start(self):
        proxy_port = free_port()
        self.env["QUERN_KAFKA_ADVERTISED"] = str(proxy_port)
        self.dev("start", "postgres")
        self.dev("start", "kafka")
        self.kafka_proxy = Proxy(self.port("kafka"), proxy_port)
        self.pg_proxy = Proxy(self.port("postgres"))
        self.start_stub()
        self.stub_proxy = Proxy(self.stub_port)
        self.write_config()
        self.quern("migrate", "up")
        self.quern("topics", "create")
        self.quern("limits", "set", "budget", "--budget", 1000, "--period", "total", "--per", "tenant")
        self.quern("limits", "set", "slots", "--concurrency", 1000, "--per", "tenant")
        self.quern("limits", "set", "rate", "--requests", 5000, "--window", "10s", "--per", "tenant")
        for w in self.workers:
            w.start()

    def write_config(self):
        self.config.write_text(json.dumps({
            "kafka": {"brokers": f"127.0.0.1:{self.kafka_proxy.port}", "session_timeout": "6s",
                      "partitions": 6},
            "database": {"url": f"postgresql://quern@127.0.0.1:{self.pg_proxy.port}/quern"},
            "worker": {"concurrency": self.concurrency, "shutdown_grace": "10s", "queue_tasks": 300},
            "fairness": {"lookahead": 20_000},
            "cache": {"rules": [{"ttl": "1h"}]},
            "retry": {"base_delay": "200ms", "rounds": 1},
            "log": {"format": "json"},
            "backends": [{"name": "stub", "base_url": f"http://127.0.0.1:{self.stub_proxy.port}/v1",
                          "timeout": {"connect": "2s", "total": "10s"}}],
            "models": [{"name": "*", "candidates": [{"backend": "stub"}]}]}))

    def stop(self):
        for w in self.workers:
            if w.running():
                w.signal(signal.SIGCONT)
                w.kill()
        if self.stub:
            self.stub.kill()
        self.dev("down")

    # ---- quern and PostgreSQL ----

    def quern(self, *args, check=True):
        done = subprocess.run([BIN / "quern", *map(str, args), "--config", self.config],
                              capture_output=True, text=True, timeout=120)
        if check and done.returncode not in (0, 3):
            raise RuntimeError(f"quern {' '.join(map(str, args))}: {done.returncode} {done.stderr}")
        return done

    def db(self):
        """Not through the proxy."""
        return psycopg.connect(f"postgresql://quern@127.0.0.1:{self.port('postgres')}/quern",
                               autocommit=True, connect_timeout=3)

    def sql(self, query, *params):
        with self.db() as db:
            return db.execute(query, params or None).fetchall()

    def results(self):
        """How many there are; None while PostgreSQL is away."""
        try:
            return self.sql("SELECT count(*) FROM results WHERE reopened_at IS NULL")[0][0]
        except psycopg.Error:
            return None

    def brokers(self):
        """Past the proxy only for the first contact: the advertised address is the proxy's."""
        return f"127.0.0.1:{self.kafka_proxy.port}"
