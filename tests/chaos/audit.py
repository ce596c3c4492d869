"""Were the promises kept? Holds Kafka's records, PostgreSQL's rows and the stub's own log of calls
against each other. A violation is a sentence; none is what we want."""
import collections
import json
import threading
import time

import confluent_kafka
import psycopg
from confluent_kafka import TopicPartition

LANES = ("tasks.high", "tasks.normal", "tasks.low")
RETRIES = ("retry.10s", "retry.1m", "retry.10m", "retry.1h")
OUTCOME = """
SELECT k.job_id::text, k.custom_id, k.generation, k.seq
FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::int[]) k(job_id, custom_id, generation, seq)
LEFT JOIN results r ON r.job_id = k.job_id AND r.custom_id = k.custom_id
     AND r.generation >= k.generation
LEFT JOIN parked p ON p.job_id = k.job_id AND p.custom_id = k.custom_id
     AND (p.generation, p.seq) > (k.generation, k.seq)
WHERE r.job_id IS NULL AND p.job_id IS NULL"""


class OffsetWatch(threading.Thread):
    """While the chaos goes on: is every record below a committed offset done, or parked again? The
    offsets are read first, so an outcome that comes late is seen as late."""

    def __init__(self, cluster, prefix="quern.", group="quern"):
        super().__init__(daemon=True)
        self.cluster, self.violations, self.checked = cluster, [], 0
        conf = {"bootstrap.servers": cluster.brokers(), "enable.auto.commit": False, "log_level": 0,
                "auto.offset.reset": "earliest"}
        self.reader = confluent_kafka.Consumer({**conf, "group.id": "audit"})
        self.topics = {f"{group}.{t.split('.')[1]}": [prefix + t] for t in LANES}
        self.topics[group + ".retry"] = [prefix + t for t in RETRIES]
        self.offsets = {g: confluent_kafka.Consumer({**conf, "group.id": g}) for g in self.topics}
        self.records = collections.defaultdict(dict)  # (topic, partition) -> {offset: task}
        self.partitions = {}
        self.done = threading.Event()

    def run(self):
        while not self.done.is_set():
            try:
                self.read(2.0)
                self.check()
            except (confluent_kafka.KafkaException, psycopg.Error):
                time.sleep(0.5)  # away at the moment

    def assign(self):
        meta = self.reader.list_topics(timeout=5).topics
        for group, topics in self.topics.items():
            self.partitions[group] = [TopicPartition(t, p) for t in topics for p in meta[t].partitions]
        self.reader.assign([TopicPartition(p.topic, p.partition, 0)
                            for ps in self.partitions.values() for p in ps])

    def read(self, seconds):
        if not self.partitions:
            self.assign()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for m in self.reader.consume(2000, 0.3):
                if m.error():
                    continue
                headers = dict(m.headers() or [])
                try:
                    doc = json.loads(m.value())
                    task = (doc["job_id"], doc["custom_id"], doc.get("generation", 0),
                            int(headers.get("quern-seq", b"0")))
                except (ValueError, KeyError):
                    continue
                self.records[m.topic(), m.partition()][m.offset()] = task

    def check(self):
        for group, consumer in self.offsets.items():
            for c in consumer.committed(self.partitions[group], 5):
                held = self.records[c.topic, c.partition]
                below = [o for o in held if o < c.offset]
                for i in range(0, len(below), 2000):
                    self.check_some(c, held, below[i:i + 2000])

    def check_some(self, c, held, offsets):
        tasks = [held[o] for o in offsets]
        for row in self.cluster.sql(OUTCOME, *map(list, zip(*tasks))):
            self.violations.append(f"{c.topic}[{c.partition}]: offset {c.offset} is committed, but "
                                   f"{row[1]} (generation {row[2]}, copy {row[3]}) has no outcome")
        for o in offsets:
            del held[o]
        self.checked += len(offsets)

    def finish(self):
        """The last look; returns how many records are behind no committed offset."""
        self.done.set()
        self.join(30)
        self.read(3)
        self.check()
        return sum(len(held) for held in self.records.values())


class Calls:
    """What the stub billed, against the books."""

    def __init__(self, path, attempts):
        self.paid = collections.defaultdict(list)  # key -> [id]
        self.usage = {}
        for line in path.read_text().splitlines():
            call = json.loads(line)
            if call["sent"] and call["status"] == 200 and call["input"] > 0:
                self.paid[call["key"].split()[0]].append(call["id"])
                self.usage[call["id"]] = (call["input"], call["output"])
        self.books = {f"quern-{token:016x}": row for token, *row in attempts}

    def unbooked(self):
        return [i for i in self.usage if i not in self.books]

    def cause(self, call):
        """Why a call that was paid gave no result."""
        if call not in self.books:
            return "its worker was killed"
        error = self.books[call][0]
        if error in ("network", "timeout"):
            return "its answer was lost on the way"
        return "its worker lost the task" if error is None else f"it ended as {error}"

    def repeats(self):
        """{cause: paid calls beyond the first of each task}."""
        causes = collections.Counter()
        for calls in self.paid.values():
            if len(calls) > 1:
                reasons = sorted(map(self.cause, calls), key=lambda r: r == "its worker lost the task")
                causes.update(reasons[:len(calls) - 1])
        return causes

    def wrong(self):
        """Booked with other tokens than billed, though the answer came."""
        return [i for i, usage in self.usage.items() if i in self.books
                and self.books[i][0] is None and tuple(self.books[i][1:3]) != usage]

    def invented(self):
        return [i for i, row in self.books.items() if row[1] + row[2] > 0 and i not in self.usage]


def budgets_agree(cluster, violations):
    """What was spent of budgets is what the books say, attempt by attempt; in the end nothing is
    reserved (of the dead it comes back by itself)."""
    for name, query in {
        "an attempt and its charge differ": """
            SELECT a.custom_id, a.cost_usd, c.pico FROM attempts a FULL JOIN limit_charges c
                USING (job_id, custom_id, token)
            WHERE (a.cost_usd > 0 AND a.cost_usd * 1000000000000 IS DISTINCT FROM c.pico)
               OR (a.cost_usd = 0 AND c.pico IS NOT NULL) OR a.token IS NULL""",
        "the sum of charges is not what is spent": """
            SELECT subject, s.n, c.n FROM (SELECT subject, sum(pico) n FROM limit_spent GROUP BY 1) s
            FULL JOIN (SELECT subject, sum(pico) n FROM limit_charges GROUP BY 1) c USING (subject)
            WHERE s.n IS DISTINCT FROM c.n""",
        "something is still reserved": "SELECT * FROM limit_leases WHERE until > now()",
        "a cache lease is still held": "SELECT owner FROM cache_leases WHERE owner <> '' AND until > now()",
    }.items():
        end = time.monotonic() + 40
        while (rows := cluster.sql(query)) and time.monotonic() < end:
            time.sleep(1)
        if rows:
            violations.append(f"{name}: {len(rows)} times, e.g. {rows[0]}")


def rows_agree(cluster, violations):
    """Counters are rows, letters belong to failures, the bill is the sum of attempts."""
    for name, query in {
        "a job's counters and its rows differ": """
            SELECT c.job_id, s, n, (SELECT count(*) FROM results r WHERE r.job_id = c.job_id
                   AND r.status = s AND reopened_at IS NULL) AS rows
            FROM (SELECT job_id, sum(succeeded) a, sum(failed) b, sum(cancelled) c, sum(expired) d
                  FROM job_counters GROUP BY 1) c, LATERAL (VALUES ('succeeded', a), ('failed', b),
                  ('cancelled', c.c), ('expired', d)) v(s, n)
            WHERE n <> (SELECT count(*) FROM results r WHERE r.job_id = c.job_id AND r.status = s
                        AND reopened_at IS NULL)""",
        "a job's books and its counters differ": """
            SELECT job_id, a, n FROM (SELECT job_id, sum(attempts) a, sum(cost_usd) c FROM job_counters
                GROUP BY 1) k FULL JOIN (SELECT job_id, count(*) n, coalesce(sum(cost_usd), 0) usd
                FROM attempts GROUP BY 1) b USING (job_id)
            WHERE coalesce(a, 0) <> coalesce(n, 0) OR coalesce(c, 0) <> coalesce(usd, 0)""",
        "a task failed without a dead letter": """
            SELECT r.job_id, r.custom_id FROM results r LEFT JOIN dead_letters d
                ON d.job_id = r.job_id AND d.custom_id = r.custom_id AND d.generation = r.generation
            WHERE r.status NOT IN ('succeeded', 'degraded', 'blocked') AND d.id IS NULL""",
        "a dead letter was never published": "SELECT id FROM dead_letters WHERE published_at IS NULL",
        "a task is parked for ever": "SELECT job_id, custom_id, seq, due_at FROM parked",
        "a result was reopened and never replaced":
            "SELECT job_id, custom_id FROM results WHERE reopened_at IS NOT NULL",
    }.items():
        rows = cluster.sql(query)
        if rows:
            violations.append(f"{name}: {len(rows)} times, e.g. {rows[0]}")


def letters_arrived(cluster, violations):
    """Each row of dead_letters is in the topic."""
    wanted = {r[0] for r in cluster.sql("SELECT id FROM dead_letters")}
    consumer = confluent_kafka.Consumer({"bootstrap.servers": cluster.brokers(), "group.id": "audit-dead",
                                         "enable.auto.commit": False, "log_level": 0})
    meta = consumer.list_topics("quern.dead", 10).topics["quern.dead"]
    consumer.assign([TopicPartition("quern.dead", p, 0) for p in meta.partitions])
    end = time.monotonic() + 15
    while wanted and time.monotonic() < end:
        for m in consumer.consume(5000, 0.5):
            if not m.error():
                wanted.discard(json.loads(m.value())["id"])
    consumer.close()
    if wanted:
        violations.append(f"{len(wanted)} dead letters are not in the topic, e.g. {min(wanted)}")


def jobs_are_whole(cluster, jobs, violations):
    """Every task that was submitted has one final result, and the job says so."""
    lost = 0
    for job in jobs:
        state, job_id = cluster.sql("SELECT state, id::text FROM job_status WHERE name = %s", job.name)[0]
        have = {r[0] for r in cluster.sql("SELECT custom_id FROM results WHERE job_id = %s", job_id)}
        missing = job.ids - have
        lost += len(missing)
        if missing:
            violations.append(f"job {job.name}: {len(missing)} tasks have no result, e.g. {min(missing)}")
        if state != job.end:
            violations.append(f"job {job.name} is {state}, not {job.end}")
        if job.all_succeed:
            bad = cluster.sql("SELECT custom_id, status, error FROM results WHERE job_id = %s"
                              " AND status <> 'succeeded'", job_id)
            if bad:
                violations.append(f"job {job.name}: {len(bad)} good tasks did not succeed, e.g. {bad[0]}")
    late = cluster.sql("SELECT count(*) FROM attempts a JOIN jobs j ON j.id = a.job_id WHERE"
                       " a.started_at > j.cancelled_at + interval '20 seconds'"
                       " AND a.generation <= j.cancelled_generation")[0][0]
    if late:
        violations.append(f"{late} calls were begun long after their job was cancelled")
    return lost


def books_agree(cluster, in_flight_at_kills, wire_faults, violations):
    """Returns what was paid twice, by cause, and a summary of the books."""
    calls = Calls(cluster.stub_log, cluster.sql(
        "SELECT token, error_type, input_tokens, output_tokens FROM attempts"))
    repeats, unbooked = calls.repeats(), calls.unbooked()
    excused = repeats["its answer was lost on the way"]
    if sum(repeats.values()) - excused > in_flight_at_kills:
        violations.append(f"paid twice: {dict(repeats)}; at most {in_flight_at_kills} were in flight"
                          " at kills")
    if excused and not wire_faults:
        violations.append(f"{excused} answers were lost on the way, but no network failed")
    if len(unbooked) > in_flight_at_kills:
        violations.append(f"{len(unbooked)} calls were billed and are in no books; at most"
                          f" {in_flight_at_kills} were in flight at kills")
    if calls.wrong():
        violations.append(f"{len(calls.wrong())} calls are booked with other tokens than billed")
    if len(calls.invented()) > 3 * wire_faults:  # the stub was killed before it wrote its log
        violations.append(f"{len(calls.invented())} calls are booked that were never billed")
    return repeats, {"billed": len(calls.usage), "unbooked": len(unbooked),
                     "tokens billed": sum(map(sum, calls.usage.values()))}
