#!/usr/bin/env python3
"""Makes helm/quern/README.md from the comments of values.yaml: `helm/readme.py > helm/quern/README.md`."""
import pathlib
import re

CHART = pathlib.Path(__file__).resolve().parent / "quern"
HEAD = """# quern on Kubernetes

Workers, migrations, topics, nightly pipelines and maintenance of [quern](../../README.md). It needs Kubernetes 1.29
or later, an Apache Kafka and a PostgreSQL 15 or later; KEDA and the Prometheus operator if they are asked for.

```
docker build -t registry.example.com/quern:0.1.0 . && docker push registry.example.com/quern:0.1.0
kubectl create secret generic quern --from-literal=QUERN_DB_PASSWORD=… --from-literal=OPENAI_API_KEY=…
helm install quern helm/quern -f values.yaml --wait --wait-for-jobs && helm test quern
```

```yaml
# values.yaml
image: {repository: registry.example.com/quern}
existingSecret: quern
config:
  kafka: {brokers: "kafka:9092", partitions: 16}
  database: {url: "postgresql://quern@postgresql:5432/quern", password_env: QUERN_DB_PASSWORD}
  backends: [{name: openai, base_url: "https://api.openai.com/v1", api_key_env: OPENAI_API_KEY}]
  models: [{name: "*", candidates: [{backend: openai}]}]
autoscaling: {type: keda, minReplicas: 0, maxReplicas: 16, keda: {connectionSecret: {name: quern-keda, key: uri}}}
pipelines:
  reviews: {schedule: "0 1 * * *", input: [/data/reviews.csv], prompt: "Summarize: {{text}}", model: gpt-4o-mini}
```

Migrations and topics are ordinary Jobs, named after what they run, and workers wait for the schema: that is safe with
Argo CD and Flux, which run no hooks of Helm's, or run them otherwise. With `migrations.hook` and `topics.hook` they
are hooks. A Job that has failed for good is made again when anything in it changes: set `migrations.rerun` to another
text. Nothing looks anything up in the cluster while it renders. `helm uninstall` leaves nothing of the chart's;
data in Kafka and PostgreSQL stay, and so do objects of a hook that failed (for you to look at).

Scaling follows the backlog in PostgreSQL: tasks that are queued, running or due. Kafka's lag only wakes the first
worker. (Where a scaler is turned on for a release that had none, Kubernetes begins with one worker: set it at the first
install, or scale up by hand once.) A worker that is told to stop lets its calls end for `worker.drainTime`; keep that above the longest call.
A prompt of a pipeline is passed on as it is; in its `args`, `$(NAME)` is filled in by Kubernetes. The KEDA query of
`source: prometheus` needs the label `namespace` that the operator's monitors add. What to do at each alert is in [operating](../../docs/operating.md).

## Values

| key | default | meaning |
| --- | --- | --- |
"""


def entries(lines):
    """(key, default, comment) of every documented value."""
    stack, comment = [], []
    for line in lines:
        if match := re.match(r" *# -- (.*)", line):
            comment = [match[1]]
        elif comment and (match := re.match(r" *# (.*)", line)):
            comment.append(match[1])
        elif match := re.match(r"( *)([\w.-]+):(.*)", line):
            depth = len(match[1]) // 2
            stack = stack[:depth] + [match[2]]
            if comment:
                yield ".".join(stack), match[3].strip() or "see values.yaml", " ".join(comment)
            comment = []


def main():
    print(HEAD, end="")
    for key, default, comment in entries((CHART / "values.yaml").read_text(encoding="utf-8").splitlines()):
        shown = default if default == "see values.yaml" else f"`{default}`"
        print(f"| `{key}` | {shown} | {comment.replace('|', '&#124;')} |")


if __name__ == "__main__":
    main()
