"""The Debian package, installed into a fresh Debian of its own and run there as its own user, against the Kafka and
PostgreSQL outside. `./dev package` runs this, and `./dev test` does not; it needs root and debootstrap."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from helpers import ROOT, Process, wait_until, write_batch

pytestmark = pytest.mark.timeout(600)
DEB = pathlib.Path(os.environ["QUERN_DEB"])
BASE = pathlib.Path(os.environ["QUERN_ROOTFS"])  # a minimal Debian, kept


def in_root(root, *command, user="root", code=0, **kwargs):
    done = subprocess.run(["chroot", f"--userspec={user}:{user}", root, "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                           "DEBIAN_FRONTEND=noninteractive", *map(str, command)], capture_output=True, text=True, check=False, **kwargs)
    assert code is None or done.returncode == code, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def make_base():
    """As this machine's apt has it."""
    if BASE.exists():
        return
    sites = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)"], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    mirror = next(s.split()[0] for s in sites if s.split()[1] == "bookworm")
    new = BASE.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", new, mirror], check=True, capture_output=True)
    for kept in ("etc/apt/sources.list", "etc/apt/sources.list.d", "etc/apt/apt.conf.d", "etc/apt/trusted.gpg.d", "etc/resolv.conf",
                 "etc/hosts"):
        if (pathlib.Path("/") / kept).exists():
            subprocess.run(["cp", "-aLT", pathlib.Path("/") / kept, new / kept], check=True)
    (new / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (new / "usr/sbin/policy-rc.d").chmod(0o755)
    in_root(new, "apt-get", "update", "-qq")
    new.rename(BASE)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    make_base()
    path = tmp_path_factory.mktemp("package") / "root"
    subprocess.run(["cp", "-a", BASE, path], check=True)
    shutil.copy(DEB, path / "tmp/quern.deb")
    in_root(path, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "/tmp/quern.deb")
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_it_is_installed_whole(root):
    version = in_root(root, "quern", "--version").split()[1]
    assert version == in_root(root, "dpkg-query", "-W", "-f", "${Version}", "quern")
    assert "quern" in in_root(root, "getent", "passwd", "quern")
    for path, mode in (("etc/quern/quern.yaml", 0o640), ("etc/quern/quern.env", 0o640)):
        assert (root / path).stat().st_mode & 0o777 == mode
    for path in ("usr/share/man/man1/quern.1", "usr/share/man/man1/quern-worker.1", "usr/share/man/man5/quern.yaml.5",
                 "lib/systemd/system/quern-worker.service", "lib/systemd/system/quern-maintain.timer"):
        assert (root / path).exists(), path
    in_root(root, "quern", "config", "check", user="quern")
    assert "`backends` and `models`" in in_root(root, "quern-worker", user="quern", code=1)


def test_the_units_are_good():
    """systemd finds nothing wrong with them, and little to attack."""
    for unit in sorted((ROOT / "packaging").glob("*.service")):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", unit], capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stdout[-300:]
    timer = subprocess.run(["systemd-analyze", "calendar", "*-*-* 03:17:00"], capture_output=True, check=False)
    assert timer.returncode == 0


def test_completions(root):
    script = ("source /usr/share/bash-completion/completions/quern; COMP_WORDS=(quern {words}); COMP_CWORD={at}; _quern;"
              " echo \"${{COMPREPLY[@]}}\"")

    def complete(*words):
        return in_root(root, "bash", "-c", script.format(words=" ".join(words) or "''", at=max(len(words), 1))).split()
    assert "submit" in complete() and complete("subm") == ["submit"]
    assert complete("submit", "--prio") == ["--priority"] and {"up", "down", "wait"} <= set(complete("migrate", "''"))
    assert {"list", "set", "history"} <= set(complete("limits", "''")) and complete("submit", "--priority", "''") == []
    (root / "tmp/a b.csv").write_text("")
    said = in_root(root, "bash", "-c", "source /usr/share/bash-completion/completions/quern; COMP_WORDS=(quern submit '/tmp/a');"
                   " COMP_CWORD=2; _quern; echo \"${COMPREPLY[0]}\"")
    assert said == "/tmp/a b.csv\n"
    assert "/etc/quern/quern.yaml" in complete("submit", "--config", "/etc/quern/q")
    for shell, path in (("zsh", "zsh/vendor-completions/_quern"), ("fish", "fish/vendor_completions.d/quern.fish")):
        subprocess.run([shell, "-n", root / "usr/share" / path], check=True)
    offered = subprocess.run(["fish", "-c", f"source {root}/usr/share/fish/vendor_completions.d/quern.fish; complete -C 'quern queue --wor'"],
                             capture_output=True, text=True, check=True).stdout
    assert offered.startswith("--workers")


def test_it_does_a_job(root, world):
    stub = world.start_stub()
    world.configure(stub)
    (root / "etc/quern/quern.yaml").write_text(json.dumps(world.config))
    (root / "tmp/in.jsonl").write_bytes(write_batch(world.path / "in.jsonl", 30).read_bytes())
    for command in (("migrate", "up"), ("topics", "create")):
        in_root(root, "quern", *command, user="quern")
    world.topics_made = True
    in_root(root, "quern", "submit", "/tmp/in.jsonl", "--job", "j", user="quern")
    worker = Process(["chroot", "--userspec=quern:quern", root, "/usr/bin/quern-worker"], world.path / "worker.log")
    world.processes.append(worker)
    world.wait_rows(30)
    assert '"state":"completed"' in in_root(root, "quern", "status", "j", "-o", "json", user="quern")
    in_root(root, "quern", "maintain", user="quern")
    wait_until(lambda: worker.stop() == 0, 30, "a clean end")


def test_changes_are_kept_and_removal_is_whole(root):
    mine = "# mine\n" + (ROOT / "packaging/quern.yaml").read_text()
    (root / "etc/quern/quern.yaml").write_text(mine)
    in_root(root, "apt-get", "install", "-y", "-qq", "--reinstall", "/tmp/quern.deb")
    assert (root / "etc/quern/quern.yaml").read_text() == mine
    in_root(root, "apt-get", "remove", "-y", "-qq", "quern")
    assert (root / "etc/quern/quern.yaml").exists() and not (root / "usr/bin/quern").exists()
    in_root(root, "apt-get", "purge", "-y", "-qq", "quern")
    assert not (root / "etc/quern").exists()
