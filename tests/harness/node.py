"""A node: a state folder, the `comity` program, and at times a `comity serve` of it."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

from .client import Client
from .ports import free_port
from .wait import wait_for

BUILD = Path(os.environ.get("COMITY_BUILD", Path(__file__).resolve().parents[2] / "build-test"))
BINARY = BUILD / "node" / "comity"


class Result:
    """What a verb did: exit code, both streams, and what it printed as JSON."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"<{' '.join(self.command)} -> {self.code}\n{self.out}\n{self.err}>"


def comity(*words, stdin=None, env=None, timeout=60):
    """Runs the program as it is, without a state folder."""
    command = [str(BINARY), *map(str, words)]
    source = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    done = subprocess.run(command, env={**os.environ, **(env or {})}, timeout=timeout,
                          capture_output=True, text=True, **source)
    if "Sanitizer" in done.stderr or "runtime error" in done.stderr:
        raise AssertionError(done.stderr)
    return Result(["comity", *map(str, words)], done.returncode, done.stdout, done.stderr)


class Node:
    """One state folder. Times are the node's own: `clock` seconds are added to the system's."""

    def __init__(self, folder, ca, host, name=None, port=None, zone="Europe/Lisbon", init=True,
                 extra=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.dir = self.folder / "state"
        self.log_path = self.folder / "serve.log"
        self.ca, self.host, self.port = ca, host, port or free_port()
        self.authority = f"{host}:{self.port}"
        self.url = f"https://{self.authority}"
        self.clock = 0
        self.process = None
        self.token = None
        if init:
            certificate, key = ca.leaf(host)
            self.must("init", self.url, "--name", name or host.split(".")[0].title(),
                      "--listen", f"127.0.0.1:{self.port}", "--tls-cert", certificate,
                      "--tls-key", key, "--tls-ca", ca.path, "--trial", "--timezone", zone, *extra)
            self.setting("status_poll", 1)
            self.setting("loops", 2)

    # settings

    def setting(self, name, value):
        """Puts a line into the [node] section of comity.ini."""
        path = self.dir / "comity.ini"
        text = re.sub(rf"(?m)^{name}\s*=.*\n", "", path.read_text())
        path.write_text(text.replace("[node]\n", f"[node]\n{name} = {value}\n", 1))

    def env(self):
        return {"COMITY_TRIAL_CLOCK": f"{self.clock:+d}"} if self.clock else {}

    # verbs

    def cli(self, *words, stdin=None, space=None, clock=None, timeout=60):
        chosen = ("--space", space) if space else ()
        env = self.env() if clock is None else {"COMITY_TRIAL_CLOCK": f"{clock:+d}"}
        return comity("--state", self.dir, *chosen, *words, stdin=stdin, env=env, timeout=timeout)

    def must(self, *words, **options):
        """A verb that has to succeed; what it printed as JSON, if it did."""
        result = self.cli(*words, **options)
        assert result.code == 0, result
        return result.json if "--json" in words else result

    # the process

    def serve(self, wait=True, env=None):
        assert self.process is None
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "--state", str(self.dir), "serve"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={**os.environ, **self.env(), **(env or {})},
                start_new_session=True)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        client = Client(self.url, self.ca.path, timeout=5)

        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"serve ended with {self.process.returncode}:\n{self.log()}")
            try:
                return client.get("/healthz", fresh=True).status == 200
            except (OSError, ValueError):
                return False

        wait_for(ready, 20, f"{self.url}/healthz")
        client.close()

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def stop(self, how=signal.SIGTERM, timeout=20):
        """Ends the node; its exit code. The log must hold no report of a sanitizer."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"the node did not stop in {timeout} s:\n{self.log()[-3000:]}")
        if how == signal.SIGKILL:  # its signer notices by itself
            wait_for(lambda: not _group_alive(process.pid), 10, "the signer to end")
        if "Sanitizer" in self.log() or "runtime error" in self.log():
            raise AssertionError(self.log())
        return code

    def kill(self):
        self.stop(signal.SIGKILL)

    def close(self):
        process = self.process
        try:
            self.stop()
        finally:
            if process is not None and _group_alive(process.pid):
                os.killpg(process.pid, signal.SIGKILL)

    # conveniences

    def client(self, bearer=None, url=None, timeout=30):
        return Client(url or self.url, self.ca.path, bearer, timeout)

    def desk(self, name="front", role="desk", space=None, url=None):
        """A client with a new bearer token."""
        made = self.must("token", "create", name, "--role", role, "--json", space=space)
        return self.client(made["token"], url=url)

    def peer(self, other):
        """Pins another node as a peer."""
        return self.must("peer", "add", getattr(other, "url", other), "--yes", "--json")

    def member(self, name="Ana Martins", **facts):
        words = [w for k, v in facts.items() for w in (f"--{k.replace('_', '-')}", v)]
        return self.must("member", "add", name, *words, "--json")["member"]

    def issue(self, member, holder=None, days=None):
        words = ["pass", "issue", member, "--json"]
        if days:
            words += ["--days", days]
        if holder:
            path = self.folder / f"holder-{holder.key.kid}.jwk"
            words += ["--holder-key", holder.write_jwk(path)]
        return self.must(*words)

    def verify(self, text, *words, **options):
        """`verify -`: exit code and verdict."""
        result = self.cli("verify", "-", "--json", *words, stdin=text, **options)
        return result.code, result.json

    def stamps(self):
        return self.must("stamp", "list", "--json")["items"]

    def visits(self):
        return self.must("visit", "list", "--json")["items"]


def _group_alive(group):
    """Whether a process of the group still runs; zombies do not count."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(pgrp) == group and state != "Z":
            return True
    return False


def codes(verdict):
    return [reason["code"] for reason in verdict["reasons"]]
