#!/usr/bin/env python3
"""kube_test.py TOOLS KUBE: installs, upgrades, rolls back and removes the chart against a real kube-apiserver with etcd.

TOOLS has helm and the CRDs, KUBE has etcd, kube-apiserver and kubectl. No controller and no node runs: Jobs, Deployments
and CronJobs make no pods by themselves, so the pod of each workload is created here, by its template, and the API
server admits it or not: the namespace enforces the pod security standard `restricted`, and the release is made by a
user whom RBAC allows the namespace alone."""
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/quern"
NAMESPACE, RELEASE = "quern", "q"
TOOLS, KUBE = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
HELPERS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployer, namespace: quern}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployer}
subjects: [{kind: User, name: deployer, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployer, namespace: quern}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Cluster:
    """etcd and kube-apiserver on ports of their own; `admin` may do everything, `deployer` what RBAC gives."""

    def __init__(self, path):
        self.path, self.processes = path, []
        self.tokens = {name: secrets.token_hex(16) for name in ("admin", "deployer")}
        etcd, peer, self.port = free_port(), free_port(), free_port()
        (path / "tokens.csv").write_text(f'{self.tokens["admin"]},admin,1,"system:masters"\n{self.tokens["deployer"]},deployer,2\n')
        subprocess.run(["openssl", "genrsa", "-out", path / "sa.key", "2048"], check=True, capture_output=True)
        self.start("etcd", "--data-dir", path / "etcd", "--listen-client-urls", f"http://127.0.0.1:{etcd}",
                   "--advertise-client-urls", f"http://127.0.0.1:{etcd}", "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                   "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}", "--initial-cluster", f"default=http://127.0.0.1:{peer}")
        self.start("kube-apiserver", f"--etcd-servers=http://127.0.0.1:{etcd}", f"--service-account-key-file={path}/sa.key",
                   f"--service-account-signing-key-file={path}/sa.key", "--service-account-issuer=https://quern.test",
                   f"--token-auth-file={path}/tokens.csv", "--authorization-mode=RBAC", f"--secure-port={self.port}",
                   "--bind-address=127.0.0.1", f"--cert-dir={path}/certs", "--service-cluster-ip-range=10.0.0.0/24",
                   "--enable-admission-plugins=NodeRestriction", "--disable-admission-plugins=ServiceAccount")

    def start(self, name, *args):
        with open(self.path / f"{name}.log", "wb") as log:
            self.processes.append(subprocess.Popen([KUBE / name, *args], stdout=log, stderr=log))

    def stop(self):
        for p in reversed(self.processes):
            p.send_signal(signal.SIGTERM)
        for p in self.processes:
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                p.kill()

    def kubectl(self, *args, user="admin", stdin=None, code=0):
        return run([KUBE / "kubectl", "--server", f"https://127.0.0.1:{self.port}", "--insecure-skip-tls-verify", "--token",
                    self.tokens[user], *args], stdin, code)

    def helm(self, *args, code=0):
        return run([TOOLS / "helm", "--kube-apiserver", f"https://127.0.0.1:{self.port}", "--kube-insecure-skip-tls-verify",
                    "--kube-token", self.tokens["deployer"], "-n", NAMESPACE, *args], None, code)

    def wait(self):
        end = time.monotonic() + 90
        while self.kubectl("get", "--raw", "/readyz", code=None).returncode != 0:
            if time.monotonic() > end or any(p.poll() is not None for p in self.processes):
                sys.exit("the API server does not come up:\n" + (self.path / "kube-apiserver.log").read_text()[-3000:])
            time.sleep(0.5)


def run(command, stdin=None, code=0):
    done = subprocess.run([str(c) for c in command], input=stdin, capture_output=True, text=True, check=False,
                          env={**os.environ, "KUBECONFIG": "/dev/null"})
    if code is not None and done.returncode != code:
        sys.exit(f"{' '.join(str(c) for c in command[1:])}\nexit code {done.returncode}, not {code}:\n{done.stdout}{done.stderr}")
    return done


def pod_templates(objects):
    """(what makes it, its pod) of each workload."""
    for x in objects:
        spec = x["spec"]["jobTemplate"]["spec"] if x["kind"] == "CronJob" else x["spec"]
        yield f"{x['kind'].lower()}-{x['metadata']['name']}", spec["template"]


def create_pods(cluster, step):
    """Makes the pod of each workload of the release; the API server has to admit it."""
    listed = json.loads(cluster.kubectl("get", "deployments,statefulsets,jobs,cronjobs", "-n", NAMESPACE, "-o", "json").stdout)
    count = 0
    for name, template in pod_templates(listed["items"]):
        template["metadata"].pop("creationTimestamp", None)
        pod = {"apiVersion": "v1", "kind": "Pod",
               "metadata": {**template["metadata"], "name": f"{step}-{name}"[:63].rstrip("-"), "namespace": NAMESPACE},
               "spec": template["spec"]}
        pod["spec"].pop("priorityClassName", None)  # a class of the values' own
        done = cluster.kubectl("create", "-f", "-", stdin=yaml.safe_dump(pod))
        if "violate" in done.stderr or "would" in done.stderr:
            sys.exit(f"{name}: {done.stderr}")
        count += 1
    return count


def left(cluster):
    """What of the release is in the namespace."""
    kinds = cluster.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").stdout.split()
    kinds = [k for k in kinds if not k.startswith(("events", "pods"))]
    return sorted(cluster.kubectl("get", ",".join(kinds), "-n", NAMESPACE, "-o", "name", "-l",
                                  f"app.kubernetes.io/instance={RELEASE}").stdout.split())


def say(text):
    print(text, flush=True)


def life(cluster, case):
    """Install, upgrade, roll back, remove."""
    values = ["-f", CHART / "ci" / f"{case}-values.yaml"]
    no_hooks = ["--no-hooks"] if case == "hooks" else []  # nobody runs their Jobs here
    cluster.helm("install", RELEASE, CHART, *values, *no_hooks)
    installed = left(cluster)
    pods = create_pods(cluster, "a")
    cluster.helm("upgrade", RELEASE, CHART, *values, *no_hooks, "--set", "config.worker.concurrency=7", "--set", "image.tag=next")
    upgraded = left(cluster)
    pods += create_pods(cluster, "b")
    cluster.helm("rollback", RELEASE, "1", *no_hooks)
    if left(cluster) != installed:
        sys.exit(f"{case}: after the rollback there is {left(cluster)}, not {installed}")
    history = json.loads(cluster.helm("history", RELEASE, "-o", "json").stdout)
    assert [h["status"] for h in history][-1] == "deployed", history
    cluster.helm("uninstall", RELEASE, *no_hooks)
    cluster.kubectl("delete", "pods", "--all", "-n", NAMESPACE, "--grace-period=0", "--force")
    rest = [x for x in left(cluster) if not x.startswith("secret/sh.helm.release")]
    if rest:
        sys.exit(f"{case}: after uninstall there is still {rest}")
    say(f"{case}: {len(installed)} objects installed, {len(upgraded)} after the upgrade, {pods} pods admitted, nothing left")


def prove_admission(cluster):
    """The namespace does refuse what is not restricted: else the pods above would prove nothing."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root", "namespace": NAMESPACE},
           "spec": {"containers": [{"name": "c", "image": "i"}]}}
    done = cluster.kubectl("create", "-f", "-", stdin=yaml.safe_dump(pod), code=1)
    assert "restricted" in done.stderr, done.stderr
    assert "forbidden" in cluster.kubectl("get", "nodes", user="deployer", code=1).stderr.lower()


def main():
    path = pathlib.Path(tempfile.mkdtemp(prefix="quern-kube-"))
    cluster = Cluster(path)
    try:
        cluster.wait()
        for crd in sorted((TOOLS / "crds").glob("*.yaml")):
            cluster.kubectl("create", "-f", crd)
        cluster.kubectl("create", "namespace", NAMESPACE)
        cluster.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        cluster.kubectl("create", "-f", "-", stdin=HELPERS)
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        prove_admission(cluster)
        for values in sorted((CHART / "ci").glob("*-values.yaml")):
            life(cluster, values.name.removesuffix("-values.yaml"))
        server = json.loads(cluster.kubectl("get", "--raw", "/version").stdout)
        say(f"the chart installs, upgrades, rolls back and goes on Kubernetes {server['major']}.{server['minor']}")
    finally:
        cluster.stop()
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main()
