"""What is measured: each case is a function that runs once and returns rows of {"case", "what", figures}."""
import json
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
import uuid

import confluent_kafka
import world as w

PEERS = pathlib.Path(__file__).parent / "peers"
MB = 1e6


def drain(latency_ms, count, concurrency, workers=1, lines=w.task_lines, **config):
    """One run from the first call to the last commit: on a full queue; several workers share it before it fills."""
    stub = w.Stub(latency_ms)
    world = w.World(stub, concurrency=concurrency, **config)
    processes = []
    if workers > 1:
        processes = [world.start_worker() for _ in range(workers)]
        world.wait_shared()
    world.submit(lines(count))
    stub.read()
    before = {name: w.cpu(w.server(name)) for name in ("postgres", "kafka")}
    processes = processes or [world.start_worker()]
    end = world.wait(count)
    worker_cpu = w.cpu([p.pid for p in processes])
    rss = max(w.peak_rss(p.pid) for p in processes)
    after = {name: w.cpu(w.server(name)) for name in ("postgres", "kafka")}
    told = stub.read()
    world.close()
    stub.stop()
    rate = count / (end - told["first"])
    row = {"tasks_per_s": rate, "worker_us": worker_cpu / count * 1e6, "rss_mb": rss / MB,
           "postgres_us": (after["postgres"] - before["postgres"]) / count * 1e6,
           "kafka_us": (after["kafka"] - before["kafka"]) / count * 1e6}
    if latency_ms:
        row["share"] = rate / (concurrency * workers / (latency_ms / 1000))
    return row


def latency_bound(quick):
    for in_flight in (1000, 2000) if quick else (1000, 2000, 8000):
        waves = 4 if quick else 12
        yield {"case": "latency-bound", "what": f"{in_flight} in flight", **drain(1000, waves * in_flight, in_flight)}


def throughput(quick):
    yield {"case": "throughput", "what": "128 in flight", **drain(0, 30_000 if quick else 120_000, 128)}


def guards(quick):
    """What looking at prompts and answers costs: the difference of two runs, in turns."""
    count = 20_000 if quick else 60_000
    rows = []
    for what, config in (("off", {}), ("profile standard", {"profile": "standard"})):
        row = drain(0, count, 128, lines=w.prose_lines, guards=config)
        rows.append({"case": "guards", "what": what, **{k: row[k] for k in ("tasks_per_s", "worker_us")}})
    rows[1]["more_us"] = rows[1]["worker_us"] - rows[0]["worker_us"]
    return rows


def floor(*args):
    told = json.loads(subprocess.run([w.BIN / "bench-floors", *map(str, args)], check=True, capture_output=True,
                                     text=True).stdout)
    return {"per_s": told["count"] / told["wall_s"], "cpu_us": told["cpu_s"] / told["count"] * 1e6,
            "rss_mb": told["rss_mb"]}


def floors(quick):
    count = 30_000 if quick else 120_000
    stub = w.Stub(0)
    world = w.World(stub, concurrency=1)
    bodies = world.dir / "bodies"
    bodies.write_text("".join(json.dumps(json.loads(x)["body"]) + "\n" for x in w.task_lines(1000)), encoding="utf-8")
    url = f"http://127.0.0.1:{stub.port}/v1/chat/completions"
    rows = [{"case": "floors", "what": "libcurl, 0 ms, 128 in flight", **floor("http", url, bodies, 128, count)}]
    world.submit(w.task_lines(count))
    kafka = world.config["kafka"]
    rows.append({"case": "floors", "what": "librdkafka, consume",
                 **floor("consume", kafka["brokers"], kafka["topic_prefix"] + "tasks.normal", count)})
    rows.append({"case": "floors", "what": "librdkafka, produce",
                 **floor("produce", kafka["brokers"], kafka["topic_prefix"] + "tasks.low", bodies, 5 * count)})
    rows.append({"case": "floors", "what": "libpq, 500 rows a commit",
                 **floor("insert", world.config["database"]["url"], count, 500)})
    stub.stop()
    for in_flight in (2000,) if quick else (2000, 8000):
        stub = w.Stub(1000)
        url = f"http://127.0.0.1:{stub.port}/v1/chat/completions"
        row = floor("http", url, bodies, in_flight, (4 if quick else 12) * in_flight)
        rows.append({"case": "floors", "what": f"libcurl, 1 s, {in_flight} in flight", **row,
                     "share": row["per_s"] / in_flight})
        stub.stop()
    world.close()
    return rows


def producer(quick):
    for name, size in (("10 MB", 10), ("100 MB", 100)) if quick else (("100 MB", 100), ("2 GB", 2000)):
        stub = w.Stub(0)
        world = w.World(stub, concurrency=1)
        path = world.dir / "in.jsonl"
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(w.task_lines(size * 1_000_000 // 2120))
        count, length = sum(1 for _ in open(path, encoding="utf-8")), path.stat().st_size
        begin = time.time()
        used, rss, end = world.run_measured("submit", path, "--job", "j")
        wall = end - begin
        path.unlink()
        world.close()
        stub.stop()
        yield {"case": "producer", "what": name, "rows_per_s": count / wall, "mb_per_s": length / wall / MB,
               "cpu_us": used / count * 1e6, "rss_mb": rss / MB}


def long_backlog(quick):
    """Time for each tenth of the job, and the memory at the end of the first and of the last."""
    count = 100_000 if quick else 1_000_000
    stub = w.Stub(0)
    world = w.World(stub, concurrency=128)
    world.submit(w.task_lines(count, size=300))
    worker = world.start_worker()
    ends, sizes = [], []
    for tenth in range(1, 11):
        ends.append(world.wait(count * tenth // 10))
        sizes.append(w.resident(worker.pid) / MB)
    first, last = ends[1] - ends[0], ends[9] - ends[8]  # the very first has the start in it
    world.close()
    stub.stop()
    return [{"case": "long backlog", "what": f"{count} tasks of 300 B", "tasks_per_s": count * 0.9 / (ends[9] - ends[0]),
             "last_to_first": last / first, "rss_first_mb": sizes[0], "rss_last_mb": sizes[9]}]


def lanes(quick):
    """A high task now and then while many low ones wait: from its producing by a client to its result."""
    latency, waiting, asked = 0.2, 20_000 if quick else 200_000, 20 if quick else 200
    stub = w.Stub(latency * 1000)
    world = w.World(stub, concurrency=100)
    world.submit(w.task_lines(waiting, size=300), job="low", priority="low")
    world.start_worker()
    world.wait(200)
    kafka, job, sent = world.config["kafka"], str(uuid.uuid4()), {}
    producer = confluent_kafka.Producer({"bootstrap.servers": kafka["brokers"], "linger.ms": 0})
    for line in w.task_lines(asked, prefix="h"):
        request = json.loads(line)
        record = {"v": 1, "job_id": job, **{k: request[k] for k in ("custom_id", "url", "body")}}
        sent[request["custom_id"]] = time.time()
        producer.produce(kafka["topic_prefix"] + "tasks.high", json.dumps(record))
        producer.flush()
        time.sleep(random.uniform(0, latency))
    world.wait_rows(job, asked)
    took = sorted(finished - sent[custom_id] for custom_id, finished in world.db.execute(
        "SELECT custom_id, extract(epoch FROM finished_at)::float8 FROM results WHERE job_id = %s", [job]))
    world.close(kill=True)
    stub.stop()
    return [{"case": "lanes", "what": f"{waiting} low ones wait, calls of {latency} s", "p50_s": statistics.median(took),
             "p99_s": took[len(took) * 99 // 100]}]


def small_tenant(among):
    """Seconds from the submission of 100 tasks to their last result, while another's are under way."""
    stub = w.Stub(1000)
    world = w.World(stub, concurrency=256, fairness={"lookahead": 100_000})
    if among:
        world.submit(w.task_lines(among, size=300), job="large", tenant="large")
    world.start_worker()
    if among:
        world.wait_jobs("large", 1)
    else:
        world.wait_shared()
    begin = time.time()
    world.submit(w.task_lines(100, size=300, prefix="s"), job="small", tenant="small")
    world.wait_jobs("small", 100)
    took = time.time() - begin
    world.close(kill=True)
    stub.stop()
    return took


def fairness(quick):
    """A tenant's 100 tasks that come while another's many wait, against alone."""
    among = 5_000 if quick else 100_000
    return [{"case": "fairness", "what": f"100 tasks behind {among} of another tenant",
             "slowdown": small_tenant(among) / small_tenant(0)}]


def scale_out(quick):
    base = None
    for workers in (1, 2) if quick else (1, 2, 4):
        row = drain(1000, 500 * workers * (4 if quick else 12), 500, workers)
        base = base or row["tasks_per_s"]
        yield {"case": "scale-out", "what": f"{workers} of 500 in flight", "tasks_per_s": row["tasks_per_s"],
               "times": row["tasks_per_s"] / base, "share": row["share"]}


# ---- peers -----------------------------------------------------------------------------------

def peer_row(name, latency_ms, in_flight, count, wall, cpu_s, rss):
    row = {"case": "peers", "what": f"{name}, {latency_ms} ms, {in_flight} in flight", "tasks_per_s": count / wall,
           "cpu_us": cpu_s / count * 1e6, "rss_mb": rss / MB}
    if latency_ms:
        row["share"] = count / wall / (in_flight / (latency_ms / 1000))
    return row


def peer_aiohttp(latency_ms, in_flight, count):
    stub = w.Stub(latency_ms)
    source = w.scratch() / "in.jsonl"
    with open(source, "w", encoding="utf-8") as f:
        f.writelines(w.task_lines(count))
    url = f"http://127.0.0.1:{stub.port}/v1/chat/completions"
    used, rss, end = w.watch([w.python(), PEERS / "aiohttp_script.py", url, source, source.with_suffix(".out"), in_flight])
    told = stub.read()
    stub.stop()
    return peer_row("asyncio + aiohttp", latency_ms, in_flight, count, end - told["first"], used, rss)


def peer_go(latency_ms, in_flight, count):
    stub = w.Stub(latency_ms)
    world = w.World(stub, concurrency=1)
    world.submit(w.task_lines(count))
    kafka, url = world.config["kafka"], f"http://127.0.0.1:{stub.port}/v1/chat/completions"
    used, rss, end = w.watch([w.go_peer(), kafka["brokers"], kafka["topic_prefix"] + "tasks.normal",
                              world.config["database"]["url"], url, in_flight, count])
    told = stub.read()
    world.close()
    stub.stop()
    return peer_row("Go, franz-go + pgx", latency_ms, in_flight, count, end - told["first"], used, rss)


def peer_celery(latency_ms, in_flight, count):
    stub, port = w.Stub(latency_ms), w.free_port()
    redis = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
                             stdout=subprocess.DEVNULL)
    env = {**os.environ, "PYTHONPATH": str(PEERS), "QUERN_REDIS": f"redis://127.0.0.1:{port}/0",
           "QUERN_STUB": f"http://127.0.0.1:{stub.port}/v1/chat/completions"}
    source = w.scratch() / "in.jsonl"
    with open(source, "w", encoding="utf-8") as f:
        f.writelines(w.task_lines(count))
    subprocess.run([w.python(), PEERS / "celery_fill.py", source], env=env, check=True)
    stub.read()
    pool = ["--pool=prefork", f"--concurrency={in_flight}"]
    worker = subprocess.Popen([w.python(), "-m", "celery", "-A", "celery_app", "worker", "--loglevel=ERROR", *pool],
                              env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    calls, told = 0, {}
    while calls < count:
        time.sleep(0.05)
        told = stub.peek()
        calls = told["calls"]
    family = w.tree(worker.pid)
    used, rss = w.cpu(family), sum(w.resident(p) for p in family)
    worker.send_signal(signal.SIGTERM)
    worker.wait()
    redis.kill()
    redis.wait()
    stub.stop()
    return peer_row("Celery + Redis", latency_ms, in_flight, count, told["last"] - told["first"], used, rss)


def peers(quick):
    few = 4 if quick else 12
    if w.python():
        yield peer_aiohttp(0, 16, 10_000 if quick else 40_000)
        yield peer_aiohttp(1000, 2000, few * 2000)
    if w.go_peer():
        yield peer_go(0, 128, 30_000 if quick else 120_000)
        yield peer_go(1000, 2000, few * 2000)
    if w.python() and shutil.which("redis-server"):
        yield peer_celery(0, 4, 1500 if quick else 6000)


ALL = {"latency-bound": latency_bound, "throughput": throughput, "guards": guards, "floors": floors, "producer": producer,
       "long-backlog": long_backlog, "lanes": lanes, "fairness": fairness, "scale-out": scale_out, "peers": peers}
