"""The chart: valid for Kubernetes in every case of ci/, refuses what cannot work, and says what it should."""
import json
import re
import subprocess
import sys

import pytest
import yaml

from conftest import CHART, NAMESPACE, RELEASE, ROOT, helm, render

CASES = sorted((CHART / "ci").glob("*-values.yaml"))
VERSIONS = ("1.29", "1.34", "1.37")
MINIMAL = yaml.safe_load((CHART / "ci/minimal-values.yaml").read_text(encoding="utf-8"))


def values(**changes):
    return {**MINIMAL, **changes}


def kind(objects, name, suffix=""):
    found = [x for x in objects if x["kind"] == name and x["metadata"]["name"].endswith(suffix)]
    assert len(found) == 1, f"{name} {suffix}: {[(x['kind'], x['metadata']['name']) for x in objects]}"
    return found[0]


def pods(objects):
    """(object, pod spec, labels) of everything that makes pods."""
    for x in objects:
        spec = x.get("spec", {})
        if x["kind"] == "Pod":
            yield x, spec, x["metadata"]["labels"]
        elif x["kind"] == "CronJob":
            t = spec["jobTemplate"]["spec"]["template"]
            yield x, t["spec"], t["metadata"]["labels"]
        elif "template" in spec:
            yield x, spec["template"]["spec"], spec["template"]["metadata"]["labels"]


def containers(spec):
    return spec.get("initContainers", []) + spec["containers"]


@pytest.fixture(params=CASES, ids=lambda p: p.name.removesuffix("-values.yaml"))
def case(request):
    return request.param


def test_lint(case):
    done = helm("lint", CHART, "--strict", "-f", case)
    assert "0 chart(s) failed" in done.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_it(case, version, tools):
    text = yaml.safe_dump_all(render(files=[case]))
    schemas = tools / "schemas"
    done = subprocess.run(
        [tools / "kubeconform", "-strict", "-summary", "-output", "json",
         "-schema-location", f"{schemas}/{version}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
         "-schema-location", f"{schemas}/crd/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json"],
        input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout)["summary"]
    assert summary["valid"] >= 4 and summary["skipped"] == summary["invalid"] == summary["errors"] == 0


def test_pods_fit_the_restricted_standard(case):
    """As https://kubernetes.io/docs/concepts/security/pod-security-standards/ has it, and a root that is read only."""
    for _, spec, _ in pods(render(files=[case])):
        assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        assert spec["automountServiceAccountToken"] is False
        for c in containers(spec):
            s = c["securityContext"]
            assert s["allowPrivilegeEscalation"] is False and s["capabilities"]["drop"] == ["ALL"]
            assert s["readOnlyRootFilesystem"] is True
            assert {"name": "tmp", "mountPath": "/tmp"} in c["volumeMounts"]


def test_names_and_labels(case):
    objects = render(files=[case])
    keys = [(x["kind"], x["metadata"]["name"]) for x in objects]
    assert len(set(keys)) == len(keys)
    for x in objects:
        if x["metadata"]["name"].endswith(("-extra", "-text")):
            continue
        assert x["metadata"]["namespace"] == NAMESPACE
        assert x["metadata"]["labels"]["app.kubernetes.io/instance"] == RELEASE
        assert len(x["metadata"]["name"]) <= (52 if x["kind"] == "CronJob" else 63)
    selector = kind(objects, "StatefulSet" if "full" in case.name else "Deployment")["spec"]["selector"]["matchLabels"]
    chosen = [x["kind"] for x, _, labels in pods(objects) if selector.items() <= labels.items()]
    assert chosen in (["Deployment"], ["StatefulSet"])  # and no job's pod


def test_renders_the_same_twice_and_asks_the_cluster_nothing(case):
    assert render(files=[case]) == render(files=[case])
    for f in (CHART / "templates").rglob("*"):
        if f.is_file():
            assert not re.search(r"\blookup\b|randAlpha|\bnow\b|genCA", f.read_text(encoding="utf-8")), f


def test_a_long_release_name():
    done = helm("template", "a" * 53, CHART, "-f", CASES[0], "--set", "maintain.enabled=true")
    names = re.findall(r"^  name: (\S+)$", done.stdout, re.M)
    assert names and all(len(n) <= 52 for n in names)


def test_the_configuration_is_one_that_quern_takes(case, tmp_path):
    """The rendered quern.yaml passes `quern config check`."""
    text = kind([x for x in render(files=[case]) if "quern.yaml" in x.get("data", {}) and "hook" not in x["metadata"]["name"]],
                "ConfigMap")["data"]["quern.yaml"]
    (tmp_path / "quern.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run([ROOT / "build/debug/bin/quern", "config", "check", "-c", tmp_path / "quern.yaml"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_change_of_the_configuration_restarts_workers_and_makes_new_jobs():
    one, other = render(values()), render(values(config={**MINIMAL["config"], "worker": {"concurrency": 7}}))
    sums = [kind(x, "Deployment")["spec"]["template"]["metadata"]["annotations"]["checksum/config"] for x in (one, other)]
    assert sums[0] != sums[1]
    names = [{x["metadata"]["name"] for x in o if x["kind"] == "Job"} for o in (one, other)]
    assert len(names[0]) == 2 and not names[0] & names[1]


def test_an_upgrade_never_changes_a_job_in_place():
    """Whatever changes in a Job's pod, its name changes: the pod template of a Job is immutable."""
    for change in ({"image": {"tag": "2"}}, {"extraEnv": [{"name": "A", "value": "b"}]}, {"secret": {"A": "b"}},
                   {"commonLabels": {"a": "b"}}, {"migrations": {"resources": {"limits": {"memory": "1Gi"}}}}):
        before = {x["metadata"]["name"]: x["spec"]["template"] for x in render(values()) if x["kind"] == "Job"}
        after = {x["metadata"]["name"]: x["spec"]["template"] for x in render(values(**change)) if x["kind"] == "Job"}
        for name in before.keys() & after.keys():
            assert before[name] == after[name], change


def test_the_grace_period_follows_the_drain_time():
    for drain, seconds in (("90s", 110), ("5m", 320), ("1h", 3620), ("1500ms", 22)):
        d = kind(render(values(worker={"drainTime": drain})), "Deployment")
        assert d["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == seconds
    config = kind(render(values(worker={"drainTime": "5m"})), "ConfigMap")["data"]["quern.yaml"]
    assert yaml.safe_load(config)["worker"]["shutdown_grace"] == "5m"


def test_workers_wait_for_migrations():
    spec = kind(render(values()), "Deployment")["spec"]["template"]["spec"]
    assert spec["initContainers"][0]["args"][:2] == ["migrate", "wait"]
    assert "initContainers" not in kind(render(files=[CHART / "ci/bare-values.yaml"]), "Deployment")["spec"]["template"]["spec"]


def test_a_stateful_worker_is_a_static_member():
    objects = render(files=[CHART / "ci/full-values.yaml"])
    env = kind(objects, "StatefulSet")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "QUERN_KAFKA_INSTANCE_ID", "value": f"{NAMESPACE}.$(QUERN_POD)"} in env
    assert env.index({"name": "QUERN_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}) \
        < [e["name"] for e in env].index("QUERN_KAFKA_INSTANCE_ID")
    service = kind(objects, "Service")
    assert kind(objects, "StatefulSet")["spec"]["serviceName"] == service["metadata"]["name"]
    assert service["spec"]["clusterIP"] == "None"


def test_probes_are_on_the_metrics_port():
    c = kind(render(values(metrics={"port": 9999})), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert c["ports"] == [{"name": "metrics", "containerPort": 9999, "protocol": "TCP"}]
    assert (c["livenessProbe"]["httpGet"]["path"], c["readinessProbe"]["httpGet"]["path"]) == ("/healthz", "/readyz")
    off = kind(render(values(metrics={"enabled": False})), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert "ports" not in off and "livenessProbe" not in off


def test_scaling():
    fixed = kind(render(values(worker={"replicas": 5})), "Deployment")["spec"]
    assert fixed["replicas"] == 5
    objects = render(files=[CHART / "ci/full-values.yaml"])
    assert "replicas" not in kind(objects, "StatefulSet")["spec"]  # KEDA's alone
    scaled = kind(objects, "ScaledObject")["spec"]
    assert scaled["minReplicaCount"] == 0 and scaled["triggers"][0]["type"] == "postgresql"
    kafka = scaled["triggers"][1:]
    assert [t["metadata"]["topic"] for t in kafka] == [f"prod.tasks.{x}" for x in ("high", "normal", "low")]
    assert {t["metadata"]["consumerGroup"] for t in kafka} == {"prod.high", "prod.normal", "prod.low"}
    hpa = kind(render(files=[CHART / "ci/hpa-values.yaml"]), "HorizontalPodAutoscaler")["spec"]
    assert hpa["scaleTargetRef"]["name"] == f"{RELEASE}-quern"


def test_hooks_have_all_they_need_before_the_chart_is_there():
    objects = render(files=[CHART / "ci/hooks-values.yaml"])
    hooks = [x for x in objects if "helm.sh/hook" in x["metadata"].get("annotations", {}) and x["kind"] != "Pod"]
    assert {x["kind"] for x in hooks} == {"Job", "ConfigMap", "Secret"}
    names = {x["metadata"]["name"] for x in hooks}
    for job in (x for x in hooks if x["kind"] == "Job"):
        spec = job["spec"]["template"]["spec"]
        assert spec["serviceAccountName"] == "default" and spec["volumes"][0]["configMap"]["name"] in names
        assert spec["containers"][0]["envFrom"][0]["secretRef"]["name"] in names
        assert job["metadata"]["name"] in (f"{RELEASE}-quern-migrate", f"{RELEASE}-quern-topics")
    weights = {x["kind"]: int(x["metadata"]["annotations"]["helm.sh/hook-weight"]) for x in hooks}
    assert weights["ConfigMap"] < weights["Job"]


def test_a_pipeline():
    job = kind(render(files=[CHART / "ci/full-values.yaml"]), "CronJob", "reviews")["spec"]
    spec = job["jobTemplate"]["spec"]["template"]["spec"]
    c = spec["containers"][0]
    assert c["args"] == ["submit", "/data/reviews.csv", "--job", "$(QUERN_JOB)", "--wait", "--prompt",
                         "Summarize for $$(nobody): {{text}}", "--model", "summarizer", "--priority", "low",
                         "--tenant", "acme"]
    assert job["concurrencyPolicy"] == "Forbid" and spec["restartPolicy"] == "Never"
    failures = job["jobTemplate"]["spec"]["podFailurePolicy"]["rules"][0]["onExitCodes"]
    assert failures["values"] == [2, 3, 5] and failures["containerName"] == c["name"]


def test_what_users_write_stays_as_it_is():
    """Kubernetes takes $$ for $, and fills $(NAME) in: neither happens to a prompt."""
    p = {"schedule": "@daily", "input": ["/data/a$b.csv"], "prompt": "Solve $$x^2$$ for $(HOME), $5", "model": "m$"}
    c = kind(render(values(pipelines={"p": p})), "CronJob", "-p")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]

    def expanded(text):  # as k8s.io/kubernetes/third_party/forked/golang/expansion does without such a variable
        return re.sub(r"\$\$|\$\((\w+)\)", lambda m: "$" if m[0] == "$$" else "EXPANDED", text)
    args = [expanded(a) for a in c["args"] if a != "$(QUERN_JOB)"]
    assert p["prompt"] in args and p["input"][0] in args and p["model"] in args


def test_labels_of_users_never_clash_with_those_that_are_selected_by():
    objects = render(values(commonLabels={"app.kubernetes.io/name": "other", "release": "a"},
                            worker={"podLabels": {"app.kubernetes.io/component": "x", "release": "b"},
                                    "podAnnotations": {"checksum/config": "mine"}},
                            metrics={"serviceMonitor": {"enabled": True, "labels": {"release": "c"}}}))
    d = kind(objects, "Deployment")
    labels = d["spec"]["template"]["metadata"]["labels"]
    assert d["spec"]["selector"]["matchLabels"].items() <= labels.items() and labels["release"] in ("a", "b")
    assert d["spec"]["template"]["metadata"]["annotations"]["checksum/config"] != "mine"


def test_a_probe_can_be_turned_off_or_be_another():
    c = kind(render(values(worker={"livenessProbe": None, "readinessProbe": {"httpGet": {"path": "/x", "port": 1}}})),
             "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert "livenessProbe" not in c and c["readinessProbe"]["httpGet"] == {"path": "/x", "port": 1}


def test_no_port_is_no_egress():
    n = kind(render(values(networkPolicy={"enabled": True, "egressPorts": []})), "NetworkPolicy")["spec"]
    assert len(n["egress"]) == 1 and all(e.get("ports") for e in n["egress"])


def test_all_pods_run_where_they_may():
    where = {"nodeSelector": {"pool": "a"}, "tolerations": [{"key": "t", "operator": "Exists"}]}
    for x, spec, _ in pods(render(values(**where, pipelines={"p": {"schedule": "@daily", "input": ["i"]}}))):
        assert spec["nodeSelector"] == {"pool": "a"} and spec["tolerations"] == where["tolerations"], x["kind"]


def test_a_failed_job_can_be_run_again():
    names = [{x["metadata"]["name"] for x in render(values(migrations={"rerun": r})) if x["kind"] == "Job"} for r in ("", "1")]
    assert len(names[0] & names[1]) == 1


def test_long_names_that_begin_alike_differ():
    names = set()
    for r in ("customer-facing-summaries-prod-eu", "customer-facing-summaries-prod-us", "q.1", "1q"):
        out = helm("template", r, CHART, "-f", CASES[0]).stdout
        names.add(kind(list(filter(None, yaml.safe_load_all(out))), "Deployment")["metadata"]["name"])
    assert len(names) == 4 and all(re.fullmatch(r"[a-z]([-a-z0-9]{0,28}[a-z0-9])?", n) for n in names)


def test_metrics_are_found():
    objects = render(files=[CHART / "ci/full-values.yaml"])
    selector = kind(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert selector.items() <= kind(objects, "Service")["metadata"]["labels"].items()
    rules = [r for g in kind(objects, "PrometheusRule")["spec"]["groups"] for r in g["rules"]]
    assert "QuernUnpriced" not in {r.get("alert") for r in rules} and any("record" in r for r in rules)
    dashboard = json.loads(kind(objects, "ConfigMap", "dashboard")["data"]["quern.json"])
    assert len(dashboard["panels"]) > 20


def test_alerts_and_dashboard_ask_for_metrics_that_there_are():
    there = set(re.findall(r"^\| `(\w+)`", (ROOT / "docs/metrics.md").read_text(encoding="utf-8"), re.M))
    for file in ("alerts.yaml", "dashboard.json"):
        asked = set(re.findall(r"quern_\w+", (CHART / "files" / file).read_text(encoding="utf-8")))
        missing = {a for a in asked if re.sub(r"_(bucket|sum|count)$", "", a) not in there and a not in there}
        assert asked and not missing, f"{file}: {missing}"


def test_alerts_fire_when_they_should():
    done = subprocess.run(["promtool", "test", "rules", ROOT / "tests/helm/alerts_test.yaml"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    alerts = yaml.safe_load((CHART / "files/alerts.yaml").read_text(encoding="utf-8"))
    names = {r["alert"] for g in alerts["groups"] for r in g["rules"]}
    tests = yaml.safe_load((ROOT / "tests/helm/alerts_test.yaml").read_text(encoding="utf-8"))["tests"]
    fired = {a["alertname"] for t in tests for a in t["alert_rule_test"] if a["exp_alerts"]}
    assert fired == names
    operating = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    assert all(n in operating for n in names), "docs/operating.md says what to do at each alert"


REFUSED = {
    "two secrets": ({"existingSecret": "a", "secret": {"B": "c"}}, "existingSecret and secret"),
    "no backend": ({"config": {"models": MINIMAL["config"]["models"]}}, "config.backends is empty"),
    "no model": ({"config": {"backends": MINIMAL["config"]["backends"]}}, "config.models is empty"),
    "a listener of its own": ({"config": {**MINIMAL["config"], "metrics": {"listen": ":1"}}}, "use metrics.port"),
    "two drain times": ({"config": {**MINIMAL["config"], "worker": {"shutdown_grace": "1s"}}}, "worker.drainTime"),
    "min above max": ({"autoscaling": {"type": "hpa", "minReplicas": 9, "maxReplicas": 3}}, "above maxReplicas"),
    "hpa to zero": ({"autoscaling": {"type": "hpa", "minReplicas": 0}}, "cannot go to zero"),
    "keda without a connection": ({"autoscaling": {"type": "keda"}}, "connectionSecret"),
    "keda without prometheus": ({"autoscaling": {"type": "keda", "keda": {"source": "prometheus"}}}, "prometheusAddress"),
    "nobody wakes it": ({"autoscaling": {"type": "keda", "minReplicas": 0, "keda": {
        "source": "prometheus", "prometheusAddress": "http://p", "wakeByKafka": False}}}, "nobody tells the backlog"),
    "a monitor of nothing": ({"metrics": {"enabled": False, "podMonitor": {"enabled": True}}}, "nothing for a ServiceMonitor"),
    "counted twice": ({"metrics": {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}}, "counted twice"),
    "two budgets": ({"podDisruptionBudget": {"minAvailable": 1, "maxUnavailable": 2}}, "not both"),
    "a typo": ({"worker": {"replica": 3}}, "replica"),
    "a typo at the top": ({"pipeline": {}}, "pipeline"),
    "a kind that is none": ({"worker": {"kind": "DaemonSet"}}, "kind"),
    "a duration that is none": ({"worker": {"drainTime": "soon"}}, "drainTime"),
    "a pipeline without input": ({"pipelines": {"p": {"schedule": "0 1 * * *"}}}, "input"),
    "a pipeline's long name": ({"pipelines": {"p" * 30: {"schedule": "0 1 * * *", "input": ["a"]}}}, "ppp"),
    "a pipeline's name that is taken": ({"pipelines": {"maintain": {"schedule": "@daily", "input": ["a"]}}}, "maintain"),
    "longer than the program takes": ({"worker": {"drainTime": "25h"}}, "drainTime"),
    "octal": ({"worker": {"drainTime": "08s"}}, "drainTime"),
    "no budget": ({"podDisruptionBudget": {"maxUnavailable": ""}}, "minAvailable or maxUnavailable"),
    "no kafka": ({"config": {**MINIMAL["config"], "kafka": {"brokers": ""}}}, "config.kafka.brokers"),
    "nothing": ({"maintain": None}, "maintain"),
    "a name that is none": ({"fullnameOverride": "Quern_X"}, "fullnameOverride"),
    "a number for a word": ({"existingSecret": 5}, "existingSecret"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused_with_words(name):
    changes, word = REFUSED[name]
    assert word in render(values(**changes), code=1)


def test_the_defaults_alone_say_what_is_missing():
    assert "config.backends is empty" in render({}, code=1)


def test_the_readme_is_made_from_the_values():
    made = subprocess.run([sys.executable, ROOT / "helm/readme.py"], capture_output=True, text=True, check=True).stdout
    assert made == (CHART / "README.md").read_text(encoding="utf-8"), "run: helm/readme.py > helm/quern/README.md"
    keys = re.findall(r"^\| `([\w.]+)`", made, re.M)
    default = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

    def known(key):
        value = default
        for part in key.split("."):
            value = value[part]
        return True
    assert len(keys) > 80 and all(known(k) for k in keys)


def test_versions_agree():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    version = re.search(r"project\(quern VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
    assert chart["appVersion"] == chart["version"] == version
