"""The benchmarks of tests/bench/run. Each figure is a ratio whose two sides were taken in one run."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build-bench"
os.environ["COMITY_BUILD"] = str(BUILD)
sys.path.insert(0, str(TOP / "tests"))

from harness.ca import TrialCA  # noqa: E402
from harness.client import Client  # noqa: E402
from harness.node import Node  # noqa: E402
from harness.wait import wait_for  # noqa: E402

PASSES = 1000
FIGURES = []


def figure(name, value, bound, at_least, note=""):
    FIGURES.append((name, value, bound, at_least, note))


def build():
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["meson", "setup", BUILD, TOP, "-Dtests=true", "-Dbuildtype=release"],
                       check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD, "node/comity", "tests/bench/bench-verify",
                    "tests/bench/bench-writer"], check=True, stdout=subprocess.DEVNULL)


def program(name, *words):
    done = subprocess.run([BUILD / "tests" / "bench" / name, *words], check=True,
                          capture_output=True, text=True)
    return done.stdout


def raw():
    """Raw OpenSSL on this machine now: microseconds of CPU to verify and to sign. On both cores at
    once, since server and load keep both busy too."""
    running = [subprocess.Popen([BUILD / "tests" / "bench" / "bench-verify", "--raw"],
                                stdout=subprocess.PIPE, text=True) for _ in range(2)]
    rows = [json.loads(process.communicate()[0]) for process in running]
    return (statistics.mean(row["raw_us"] for row in rows),
            statistics.mean(row["raw_sign_us"] for row in rows))


# ---- processes ----

def family(pid):
    """The node's process and the signer it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def cpu_ns(pids):
    """Nanoseconds on a processor, user and system, of all threads of these processes."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total


def memory_kib(pids, field):
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(field + ":"):
                total += int(line.split()[1])
    return total


# ---- two nodes and their passes ----

class Pair:
    """A home with many members and their passes, and a host that has pinned it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        ca = TrialCA(self.folder / "ca")
        self.home = Node(self.folder / "home", ca, "home.localhost")
        self.host = Node(self.folder / "host", ca, "localhost")  # a name that wrk can resolve
        self.home.setting("status_poll", 5)
        # One HTTP loop: the other of the two cores is the load generator's. With two loops all three
        # fight for the cores, and the switches between them would be counted as the server's work.
        self.host.setting("loops", 1)
        self.host.setting("status_poll", 5)
        self.home.serve()
        self.host.serve()
        self.host.peer(self.home)
        self.home.peer(self.host)
        self.desk = self.host.must("token", "create", "bench", "--role", "desk", "--json")["token"]
        self.passes = self.issue(PASSES)

    def issue(self, n):
        csv = self.folder / "members.csv"
        csv.write_text("name,external_id\n" + "".join(f"Member {i},m{i}\n" for i in range(n)))
        self.home.must("member", "import", csv, "--json")
        members, after = [], []
        while True:
            page = self.home.must("member", "list", "--json", "--limit", 500, *after)
            members += [item["member"] for item in page["items"]]
            if not page["next"]:
                break
            after = ["--after", page["next"]]
        return [self.home.must("pass", "issue", member, "--json")["token"] for member in members]

    def close(self):
        self.host.close()
        self.home.close()


def wrk(url, script, seconds, connections):
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, url],
                          capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return {**json.loads(line[7:]), "words": done.stderr[-500:]}
    raise AssertionError(done.stdout + done.stderr)


LUA = """
local bodies = {}
for line in io.lines("%(bodies)s") do bodies[#bodies + 1] = line end
local i, sent, good, bad, limit = 0, 0, 0, 0, %(limit)d
local run = "%(run)s"
wrk.headers["Authorization"] = "Bearer %(token)s"
wrk.headers["Content-Type"] = "application/json"
request = function()
  i = i %% #bodies + 1
  sent = sent + 1
  if limit > 0 then wrk.headers["Idempotency-Key"] = run .. "-" .. sent end
  return wrk.format("POST", "%(path)s", nil, bodies[i])
end
local threads = {}
setup = function(thread) threads[#threads + 1] = thread end
response = function(status, headers, body)
  if status == %(status)d then good = good + 1 else bad = bad + 1 end
  last_bad = status ~= %(status)d and body or last_bad
  if limit > 0 and good + bad >= limit then wrk.thread:stop() end
end
done = function(summary, latency, requests)
  local t = threads[1]
  local bad = t:get("last_bad") or ""
  print(string.format('RESULT {"requests":%%d,"us":%%d,"p99_us":%%d,"errors":%%d}', summary.requests,
        summary.duration, latency:percentile(99), summary.errors.status + summary.errors.connect +
        summary.errors.read + summary.errors.write + summary.errors.timeout))
  if bad ~= "" then io.stderr:write(bad .. "\\n") end
end
"""


def load(pair, path, bodies, status, seconds, connections, limit=0, run="r"):
    lines = pair.folder / "bodies"
    lines.write_text("".join(json.dumps(body) + "\n" for body in bodies))
    script = pair.folder / "load.lua"
    script.write_text(LUA % {"bodies": lines, "limit": limit, "token": pair.desk, "path": path,
                             "status": status, "run": run})
    pids = family(pair.host.process.pid)
    before = cpu_ns(pids)
    result = wrk(pair.host.url, script, seconds, connections)
    result["cpu_us"] = (cpu_ns(pids) - before) / 1e3 / max(1, result["requests"])
    assert result["errors"] == 0, result
    return result


# ---- the figures ----

def bench_verify():
    got = json.loads(program("bench-verify"))
    for kind in ("printed", "bound"):
        one = got[kind]
        figure(f"verify in process, {kind} pass / raw ES256", one["ratio"], 0.90, True,
               f"raw {one['raw_us']} us, pass {one['pass_us']} us, "
               f"{one['signatures']} signature(s) each")
    return got


def bench_jose(folder):
    modules = BUILD / "jose"
    modules.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        (modules / name).write_text((TOP / "tests" / "interop" / name).read_text())
    if not (modules / "node_modules").exists():
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=modules, check=True)
    script = modules / "jose.mjs"
    script.write_text((TOP / "tests" / "bench" / "jose.mjs").read_text())
    program("bench-verify", "--dump", str(folder / "passes.json"))
    theirs = json.loads(subprocess.run(["node", script, folder / "passes.json"], check=True,
                                       capture_output=True, text=True).stdout)
    ours = json.loads(program("bench-verify"))["printed"]["pass_us"]
    for name, row in theirs.items():
        best = min(row["wall_us"], row["cpu_us"]) if name == "one" else row["cpu_us"]
        figure(f"verify, ours / jose on Node.js ({name} at a time)", best / ours, 1.25, True,
               f"jose {row['wall_us']:.1f} us wall, {row['cpu_us']:.1f} us CPU; ours {ours} us")


def bench_api(pair):
    bodies = [{"token": token} for token in pair.passes]
    load(pair, "/api/v1/verify", bodies, 200, 1, 8)
    ratios, costs, raws = [], [], []
    for _ in range(5):
        raw_us, _ = raw()
        got = load(pair, "/api/v1/verify", bodies, 200, 3, 8)
        again, _ = raw()
        raws.append((raw_us + again) / 2)
        costs.append(got["cpu_us"])
        ratios.append(got["cpu_us"] / raws[-1])
    figure("CPU of /api/v1/verify / raw ES256 check", statistics.median(ratios), 1.40, False,
           f"{statistics.median(costs):.1f} us a request, raw {statistics.median(raws):.1f} us")


def checkout_all(pair):
    client = Client(pair.host.url, pair.host.ca.path, pair.desk)
    while True:
        page = pair.host.must("visit", "list", "--on-site", "--limit", 500, "--json")["items"]
        if not page:
            break
        for visit in page:
            client.post("/api/v1/checkout", {"visit": visit["visit"]})
    client.close()


def bench_checkin(pair):
    """Each member checks in once a round; the home is away, so that stamps wait in the outbox."""
    pair.home.stop()
    bodies = [{"token": token, "confirm": True} for token in pair.passes]
    ratios, costs, limits = [], [], []
    for n in range(4):
        verify_us, sign_us = raw()
        got = load(pair, "/api/v1/checkin", bodies, 201, 30, 32, limit=PASSES, run=f"round{n}")
        again, sign_again = raw()
        checkout_all(pair)
        if n == 0:
            continue
        limits.append((verify_us + again + sign_us + sign_again) / 2)
        costs.append(got["cpu_us"])
        ratios.append(costs[-1] / limits[-1])
    pair.home.serve()
    figure("CPU of /api/v1/checkin / (raw check + raw signature)", statistics.median(ratios), 1.60,
           False, f"{statistics.median(costs):.1f} us a check-in, raw {statistics.median(limits):.1f} us")


def bench_writer(folder):
    got = json.loads(program("bench-writer", str(folder)))
    figure("writer under 64 submitters / SQLite's single commits", got["ratio"], 3, True,
           f"{got['writer_commits_per_s']:.0f} and {got['single_commits_per_s']:.0f} a second")


def bench_start(folder):
    ca = TrialCA(folder / "ca-start")
    node = Node(folder / "start", ca, "start.localhost")
    times, rss, pss = [], [], []
    for _ in range(5):
        client = Client(node.url, ca.path, timeout=5)
        began = time.perf_counter()
        node.serve(wait=False)
        while True:
            try:
                assert client.get("/healthz", fresh=True).status == 200
                break
            except OSError:
                time.sleep(0.001)
        times.append((time.perf_counter() - began) * 1000)
        client.close()
        pids = family(node.process.pid)
        wait_for(lambda: quiet(pids), 10, "the node to be idle")
        rss.append(memory_kib(pids, "Rss") / 1024)
        pss.append(memory_kib(pids, "Pss") / 1024)
        node.stop()
    figure("start to first answer, ms", statistics.median(times), 150, False)
    figure("idle memory of all processes, MiB", statistics.median(pss), 20, False,
           f"each shared page counted once; {statistics.median(rss):.1f} MiB if counted in each process")


def quiet(pids):
    """No processor time is used for a moment."""
    before = cpu_ns(pids)
    time.sleep(0.2)
    return cpu_ns(pids) - before < 2_000_000


def main(words):
    check = "--check" in words
    names = [w for w in words if not w.startswith("--")]
    wanted = lambda name: not names or name in names  # noqa: E731
    build()
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        folder = Path(folder)
        if wanted("verify"):
            bench_verify()
        if wanted("jose"):
            bench_jose(folder)
        if wanted("writer"):
            bench_writer(folder)
        if wanted("start") or wanted("memory"):
            bench_start(folder)
        if wanted("api") or wanted("checkin"):
            pair = Pair(folder)
            try:
                if wanted("api"):
                    bench_api(pair)
                if wanted("checkin"):
                    bench_checkin(pair)
            finally:
                pair.close()
    return report(check)


def report(check):
    missed = 0
    for name, value, bound, at_least, note in FIGURES:
        good = value >= bound if at_least else value <= bound
        missed += not good
        sign = ">=" if at_least else "<="
        print(f"{'ok  ' if good else 'MISS'} {name}: {value:.2f} ({sign} {bound:g})")
        if note:
            print(f"     {note}")
    return 1 if check and missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
