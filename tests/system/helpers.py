"""A world of its own for each test: a database, topics, a configuration, stubs, workers."""
import copy
import json
import os
import pathlib
import secrets
import signal
import subprocess
import time
import urllib.request

import confluent_kafka
import confluent_kafka.admin
import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("QUERN_BIN", ROOT / "build/debug/bin")).resolve()
SANITIZED = "asan" in str(BIN)
MODEL = "gpt-4o-mini"
LANES = ("high", "normal", "low")


def wait_until(predicate, timeout=30.0, what="the condition", every=0.05):
    """Polls until the predicate is true; returns its value."""
    end = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not come true within {timeout} s"
        time.sleep(every)


def merge(base, changes):
    """A deep copy of a configuration with changes."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = value
    return result


def request(custom_id, prompt, model=MODEL, **body):
    """One OpenAI Batch request."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], **body}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}


def write_lines(path, values):
    """A JSONL file; bytes are written as they are."""
    with open(path, "wb") as f:
        for value in values:
            f.write(value if isinstance(value, bytes) else json.dumps(value).encode())
            f.write(b"\n")
    return path


def write_batch(path, count, prefix="t", text="Summarize: text number {} of {}.", **kwargs):
    """A batch of `count` tasks, each with a prompt of its own."""
    lines = (request(f"{prefix}-{i}", text.format(i, prefix), **kwargs) for i in range(count))
    return write_lines(path, lines)


def environment(extra=None):
    """The environment of the programs under test: nothing of ours leaks into it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("QUERN_")}
    if SANITIZED:
        env["ASAN_OPTIONS"] = "detect_leaks=0"
    return {**env, **(extra or {})}


class Process:
    """A program in the background, logging to a file."""

    def __init__(self, args, log, env=None, stdout=None):
        self.log = log
        with open(log, "wb") as f:
            self.popen = subprocess.Popen([str(a) for a in args], stdin=subprocess.DEVNULL,
                                          stdout=stdout or f, stderr=f, env=environment(env))

    def running(self):
        return self.popen.poll() is None

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout=30):
        return self.popen.wait(timeout)

    def stop(self, timeout=30):
        """SIGTERM; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        if self.running():
            self.signal(signal.SIGKILL)
        self.popen.wait()

    def text(self):
        return self.log.read_text(errors="replace")


class Worker(Process):
    """A quern-worker; its log is JSON lines."""

    def events(self, message):
        lines = [json.loads(x) for x in self.text().splitlines() if x.startswith("{")]
        return [x for x in lines if x["msg"] == message]

    def assigned(self):
        """How many partitions of each lane it has now."""
        given, taken = self.events("partitions assigned"), self.events("partitions revoked")
        return {lane: sum(e["count"] for e in given if e["of"] == lane)
                - sum(e["count"] for e in taken if e["of"] == lane) for lane in ("high", "normal", "low")}

    def finished(self):
        """How many tasks it brought to an end, as it said when it stopped."""
        return self.events("stopped")[0]["finished"]


class Stub(Process):
    """A stub model service on a free port."""

    def __init__(self, args, log):
        super().__init__([BIN / "stub-model", *args], log, stdout=subprocess.PIPE)
        line = self.popen.stdout.readline().decode()
        assert line.startswith("listening on "), f"{line}{self.text()}"
        self.url = line.split()[-1]

    def _get(self, path):
        with urllib.request.urlopen(self.url.removesuffix("/v1") + path, timeout=10) as r:
            return json.load(r)

    def calls(self):
        """{prompt: number of calls}."""
        return self._get("/stub/calls")["tasks"]

    def total(self):
        return self._get("/stub/calls")["calls"]

    def repeated(self):
        return {prompt: n for prompt, n in self.calls().items() if n > 1}

    def close(self):
        self.kill()
        self.popen.stdout.close()


class World:
    """Everything that one test uses, apart from all others."""

    def __init__(self, servers, path):
        token = secrets.token_hex(5)
        self.servers, self.path = servers, path
        self.prefix, self.group = f"t{token}.", f"t{token}"
        self.database = f"quern_t_{token}"
        self.url = servers.url(self.database)
        self.processes = []
        self.topics_made = False
        with servers.connect("postgres") as db:
            db.execute(f"CREATE DATABASE {self.database}")
        self.db = servers.connect(self.database)
        self.config_path = path / "quern.yaml"
        self.config = {}

    # ---- configuration ----

    def configure(self, stub=None, **changes):
        """Writes quern.yaml (JSON is YAML). All models go to the stub."""
        base = {
            "kafka": {"brokers": self.servers.brokers, "topic_prefix": self.prefix,
                      "group": self.group, "session_timeout": "6s", "partitions": 2},
            "database": {"url": self.url},
            "worker": {"concurrency": 32},
            "retry": {"base_delay": "20ms"},
            "backends": [{"name": "stub", "base_url": stub.url if stub else "http://127.0.0.1:9/v1"}],
            "models": [{"name": "*", "candidates": [{"backend": "stub"}]}],
        }
        self.config = merge(base, changes)
        self.config_path.write_text(json.dumps(self.config, indent=1))

    def set_up(self, stub=None, **changes):
        """Configuration, schema and topics."""
        self.configure(stub, **changes)
        self.quern("migrate", "up")
        self.quern("topics", "create")
        self.topics_made = True

    # ---- programs ----

    def quern(self, *args, code=0, stdin=None, timeout=60, env=None):
        """Runs a verb to its end and checks the exit code (None: any)."""
        env = {"QUERN_CONFIG": str(self.config_path), **(env or {})}
        done = subprocess.run([str(BIN / "quern"), *map(str, args)], input=stdin,
                              capture_output=True, timeout=timeout, env=environment(env),
                              cwd=self.path, check=False)
        done.out, done.err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        said = f"quern {' '.join(map(str, args))}: exit {done.returncode}\n{done.out}{done.err}"
        assert "AddressSanitizer" not in done.err and "runtime error" not in done.err, said
        assert code is None or done.returncode == code, said
        return done

    def _keep(self, process):
        self.processes.append(process)
        return process

    def _log(self, kind):
        return self.path / f"{kind}-{len(self.processes)}.log"

    def start_quern(self, *args):
        env = {"QUERN_CONFIG": str(self.config_path)}
        return self._keep(Process([BIN / "quern", *args], self._log("quern"), env))

    def start_worker(self, **env):
        args = [BIN / "quern-worker", "--config", self.config_path]
        return self._keep(Worker(args, self._log("worker"), env))

    def start_stub(self, *args):
        return self._keep(Stub(args, self._log("stub")))

    # ---- what came of it ----

    def sql(self, query, *params):
        return self.db.execute(query, params or None).fetchall()

    def value(self, query, *params):
        return self.sql(query, *params)[0][0]

    def status(self, job):
        return json.loads(self.quern("status", job, "-o", "json").out)

    def results(self, job, *args):
        """The result lines of a job, by custom_id."""
        lines = [json.loads(x) for x in self.quern("results", job, *args).out.splitlines()]
        by_id = {x["custom_id"]: x for x in lines}
        assert len(by_id) == len(lines), "a custom_id has two result lines"
        return by_id

    def rows(self):
        return self.value("SELECT count(*) FROM results")

    def wait_rows(self, count, timeout=60):
        wait_until(lambda: self.rows() >= count, timeout, f"{count} results")

    def check_counters(self):
        """job_counters agree with the rows, status by status."""
        counted = self.sql(
            "SELECT job_id, status, n FROM (SELECT job_id, sum(succeeded)::bigint AS succeeded,"
            " sum(failed)::bigint AS failed, sum(cancelled)::bigint AS cancelled,"
            " sum(expired)::bigint AS expired, sum(degraded)::bigint AS degraded, sum(blocked)::bigint AS blocked"
            " FROM job_counters GROUP BY job_id) c, LATERAL (VALUES ('succeeded', succeeded),"
            " ('failed', failed), ('cancelled', cancelled), ('expired', expired),"
            " ('degraded', degraded), ('blocked', blocked)) v(status, n) WHERE n <> 0")
        rows = self.sql("SELECT job_id, status, count(*) FROM results GROUP BY 1, 2")
        assert sorted(map(str, counted)) == sorted(map(str, rows))
        attempts = self.value("SELECT coalesce(sum(attempts), 0)::bigint FROM job_counters")
        assert attempts == self.value("SELECT count(*) FROM attempts")

    # ---- the end ----

    def logs(self):
        return {p.log.name: p.text() for p in self.processes}

    def close(self):
        for p in self.processes:
            p.close() if isinstance(p, Stub) else p.kill()
        self.db.close()
        with self.servers.connect("postgres") as db:
            db.execute(f"DROP DATABASE {self.database} WITH (FORCE)")
        if self.topics_made:
            admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": self.servers.brokers})
            names = [t for t in admin.list_topics(timeout=10).topics if t.startswith(self.prefix)]
            for deleted in admin.delete_topics(names).values():
                deleted.result(20)


class Servers:
    """The private Kafka and PostgreSQL of this checkout."""

    def __init__(self):
        self.brokers = "127.0.0.1:" + self._port("kafka")
        self.postgres = "127.0.0.1:" + self._port("postgres")

    @staticmethod
    def _port(name):
        return (ROOT / ".dev/ports" / name).read_text().strip()

    def url(self, database):
        return f"postgresql://quern@{self.postgres}/{database}"

    def connect(self, database):
        return psycopg.connect(self.url(database), autocommit=True)
