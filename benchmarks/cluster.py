"""A paid run on a Dask cluster: what becomes of the bill when machines die, and what workers are good for.

The cluster is a LocalCluster of real processes in a process of its own, the provider is the emulator, and
so is the program a process. `events` says what happens to the cluster while 600 jobs run; afterwards the
bill is 600 and every image is there. The figures are of one machine, whose cores workers, provider and
program share: they say what the driver is spared, not how a cluster grows.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.instant import installed, project
from benchmarks.processes import RELIGHTFLOW, Row
from benchmarks.reliability.rehearsal import KEY, ROOT, Emulated, Shop, Work, emulated, environment

JOBS, KILLED, LARGE, PACED = 600, 240, 60, 512
SIZE = 4_000_000
CALLS_A_SECOND = 17
"""A thousand a minute."""
PLANNED = """version: 1
name: planned
sources: [{type: glob, include: [photos/*]}]
backend: {type: preview}
sinks: [{type: directory, path: out}]
"""
FEW, MANY, WHOLE = 2_000, 20_000, 200_000


@dataclass(frozen=True, slots=True)
class Cluster:
    """A LocalCluster in another process, which does what it is told."""

    process: subprocess.Popen[str]
    address: str

    def tell(self, *words: object) -> Any:
        """One command; what it answers, once it is done."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def kill_worker(self, number: int = signal.SIGKILL) -> None:
        os.kill(self.tell("pids")[0], number)

    def kill_scheduler(self) -> None:
        """With its process; the workers follow when they miss it."""
        os.kill(self.process.pid, signal.SIGKILL)


@contextmanager
def cluster(workers: int, path: Path | None = None, port: int = 0) -> Iterator[Cluster]:
    """`path`: before the module path of the workers. `port`: the scheduler's, such as that of one that was
    killed; 0: any."""
    command = [sys.executable, "-m", "benchmarks.cluster", "cluster", str(workers), str(port)]
    env = environment()
    if path:
        env["PYTHONPATH"] = os.pathsep.join((str(path), env["PYTHONPATH"]))
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, env=env, cwd=ROOT
    ) as process:
        try:
            assert process.stdout
            yield Cluster(process, json.loads(process.stdout.readline()))
        finally:
            assert process.stdin
            with suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def restarted(found: Cluster, workers: int = 2) -> Iterator[Cluster]:
    """The cluster killed, and another one at its address, which knows nothing of what that was asked for."""
    found.kill_scheduler()
    found.process.wait()
    with cluster(workers, port=int(found.address.rpartition(":")[2])) as following:
        yield following


def serve(workers: int, port: int) -> None:
    """The other process: a cluster that obeys its standard input until that ends."""
    import logging

    from distributed import Client, LocalCluster

    quiet: dict[str, Any] = {"dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    local = LocalCluster(
        n_workers=workers, threads_per_worker=2, processes=True, scheduler_port=port, **quiet
    )
    client = Client(local)

    def say(value: object) -> None:
        print(json.dumps(value), flush=True)

    say(local.scheduler_address)
    for line in sys.stdin:
        match line.split():
            case ["pids"]:
                say([nanny.process.pid for nanny in local.workers.values() if nanny.process])
            case ["retire"]:
                oldest = next(iter(client.scheduler_info()["workers"]))
                client.retire_workers([oldest])
                say(oldest)
            case ["scale", count]:
                local.scale(int(count))
                say(int(count))
    client.close()
    local.close()


def _scale(found: Cluster, times: int = 20) -> None:
    for turn in range(times):
        found.tell("scale", 1 if turn % 2 == 0 else 3)
        time.sleep(0.4)
    found.tell("scale", 2)


EVENTS: Mapping[str, Callable[[Cluster], object]] = {
    "nothing": lambda found: None,
    "SIGKILL of a worker": lambda found: found.kill_worker(),
    "SIGTERM of a worker": lambda found: found.kill_worker(signal.SIGTERM),
    "`retire_workers`": lambda found: found.tell("retire"),
    "scaled up and down 20 times": _scale,
    "SIGKILL of the scheduler": lambda found: found.kill_scheduler(),
}


@dataclass(frozen=True, slots=True)
class Bought:
    exit: int
    billed: int
    distinct: int
    delivered: int
    said: str
    seconds: float

    @property
    def once(self) -> bool:
        return self.billed == self.distinct == self.delivered


def bought(event: Callable[[Cluster], object], jobs: int = JOBS, workers: int = 2) -> Bought:
    """One run of so many paid jobs on a new cluster, with `event` once a fifth of them is delivered."""
    with cluster(workers) as found:
        return bought_on(found, event, jobs)


def bought_across_a_restart(jobs: int = JOBS) -> Bought:
    """The same where the cluster is killed, and another one is there for the second half of the jobs."""
    with ExitStack() as stack:
        found = stack.enter_context(cluster(2))
        return bought_on(found, lambda one: stack.enter_context(restarted(one)), jobs)


def bought_on(found: Cluster, event: Callable[[Cluster], object], jobs: int) -> Bought:
    """The same on a cluster that runs."""
    cells = 100
    work = Work(images=max(1, jobs // cells), cells=min(cells, jobs), concurrency=32, max_cost=jobs)
    options = ("--latency", "0.2", "--credits", str(jobs))
    with (
        tempfile.TemporaryDirectory() as made,
        emulated(Path(made), *options) as provider,
    ):
        shop = Shop(Path(made), provider.url, work)
        process = _started(shop, *on(found))
        begun = time.perf_counter()
        while process.poll() is None and len(shop.delivered()) < jobs // 5:
            time.sleep(0.02)
        event(found)
        _, said = process.communicate()
        seconds = time.perf_counter() - begun
        bill = provider.bill()
        ids = {row["request_id"] for row in bill}
        return Bought(process.returncode, len(bill), len(ids), len(shop.delivered()), said, seconds)


def driver_killed(jobs: int, times: int = 4) -> Bought:
    """The driver is killed again and again while workers go on with its tasks; the last run has no
    cluster."""
    work = Work(images=1, cells=jobs, concurrency=32, max_cost=jobs)
    options = ("--latency", "0.2", "--credits", str(jobs))
    with (
        tempfile.TemporaryDirectory() as made,
        emulated(Path(made), *options) as provider,
        cluster(2) as found,
    ):
        shop = Shop(Path(made), provider.url, work)
        begun = time.perf_counter()
        for turn in range(1, times + 1):
            with _started(shop, *on(found)) as process:
                while process.poll() is None and len(shop.delivered()) < jobs * turn // (times + 2):
                    time.sleep(0.02)
                process.kill()
        ended = shop.finish()[-1]
        seconds = time.perf_counter() - begun
        bill = provider.bill()
        ids = {row["request_id"] for row in bill}
        return Bought(ended.exit, len(bill), len(ids), len(shop.delivered()), ended.said, seconds)


def _started(shop: Shop, *options: str) -> subprocess.Popen[str]:
    """A run as a new interpreter, so that its memory and processor time are its own."""
    given = {
        "RELIGHTFLOW_SEGMIND_URL": shop.url,
        "RELIGHTFLOW_REHEARSAL": "no",  # it stands for the provider itself
        "RELIGHTFLOW_SEGMIND_SETTLING": "3",
        "RELIGHTFLOW_STATE": str(shop.state),
        "SEGMIND_API_KEY": KEY,
    }
    command = ("run", "recipe.yaml", "--yes", "--quiet", *options)
    return subprocess.Popen(
        [*RELIGHTFLOW, *command], cwd=shop.folder, env=environment(given),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def on(found: Cluster) -> tuple[str, ...]:
    """The options of a run on a cluster."""
    return ("--executor", "dask", "--scheduler", found.address)


Provider = Callable[..., AbstractContextManager[Emulated]]


@dataclass(frozen=True, slots=True)
class Ran:
    seconds: float
    processor: float
    """Seconds of processor time of the program alone."""
    mb: float
    """Its peak memory."""


def _timed(process: subprocess.Popen[str]) -> Ran:
    begun = time.perf_counter()
    assert process.stderr
    with process.stderr as stderr:
        said = stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    processor = usage.ru_utime + usage.ru_stime
    return Ran(time.perf_counter() - begun, processor, usage.ru_maxrss / 1024)


def large(jobs: int, workers: int) -> Ran:
    """So many paid jobs with results of 4 MB, delivered in another format. `workers`: 0: without a
    cluster."""
    return _ran(jobs, workers, _of_large_images, "path: out/, format: webp}")


def paced(jobs: int, workers: int) -> Ran:
    """So many paid jobs with small results, as fast as the provider takes them."""
    return _ran(jobs, workers, emulated, "path: out/}")


def _ran(jobs: int, workers: int, provider: Provider, sink: str) -> Ran:
    limits = f"  rate: {CALLS_A_SECOND}/1s"
    work = Work(images=1, cells=min(jobs, 256), repeat=max(1, jobs // 256), concurrency=32,
                max_cost=jobs, limits=limits)  # fmt: skip
    options = ("--latency", "0.5", "--credits", str(jobs), "--rate", f"{CALLS_A_SECOND}/1s")
    with (
        tempfile.TemporaryDirectory() as made,
        provider(Path(made), *options) as running,
        cluster(max(1, workers)) as found,
    ):
        shop = Shop(Path(made), running.url, work)
        recipe = shop.folder / "recipe.yaml"
        recipe.write_text(recipe.read_text().replace("path: out/}", sink))
        ran = _timed(_started(shop, *(on(found) if workers else ())))
        assert len(running.bill()) == work.jobs
        assert len(list((shop.folder / "out").glob("*.[jw]*[gp]"))) == work.jobs
        return ran


@contextmanager
def _of_large_images(_: Path, *options: str) -> Iterator[Emulated]:
    command = [sys.executable, "-m", "benchmarks.cluster", "emulator", "--port", "0"]
    command += ["--image", "tiny", *options]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, cwd=ROOT) as process:
        try:
            assert process.stdout
            line = process.stdout.readline().decode()
            assert line.startswith("listening on "), line
            yield Emulated(line.removeprefix("listening on ").strip())
        finally:
            process.terminate()


def _emulator(options: list[str]) -> None:
    """The emulator, whose one small image is a large one."""
    from relightflow.backends.emulator import __main__ as program
    from relightflow.backends.emulator import images

    image = _large_image()
    vars(images)["tiny"] = lambda: image
    program.main(options)


def _large_image() -> bytes:
    """A JPEG of about 4 MB."""
    import numpy as np
    import PIL.Image

    noise = np.random.default_rng(0).integers(0, 255, (1000, 1500, 3), dtype=np.uint8)
    smooth = PIL.Image.fromarray(noise).resize((3000, 2000))
    out = io.BytesIO()
    smooth.save(out, "JPEG", quality=89)
    data = out.getvalue()
    assert abs(len(data) - SIZE) < SIZE // 4, len(data)
    return data


def planned(images: int, workers: int) -> Ran:
    """A plan of so many new images of 4 MB, which it reads and hashes."""
    with tempfile.TemporaryDirectory() as made, cluster(max(1, workers)) as found:
        project = Path(made) / "project"
        (project / "photos").mkdir(parents=True)
        data = _large_image()
        for number in range(images):  # behind the end of a JPEG anything may stand
            (project / f"photos/{number}.jpg").write_bytes(data + b"%08d" % number)
        (project / "recipe.yaml").write_text(PLANNED)
        options = on(found) if workers else ()
        process = subprocess.Popen(
            [*RELIGHTFLOW, "plan", "recipe.yaml", "--json", *options], cwd=project, env=environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        return _timed(process)


def free(jobs: int, workers: int) -> Ran:
    """So many free jobs that workers make at once, and deliver."""
    with tempfile.TemporaryDirectory() as made:
        path = installed(Path(made))
        recipe = project(Path(made) / "project", jobs)
        env = environment({"PYTHONPATH": f"{path}{os.pathsep}{ROOT}"})
        command = [sys.executable, "-m", "relightflow", "run", str(recipe), "--quiet"]
        with cluster(workers, path) as found:
            process = subprocess.Popen(
                [*command, *on(found)], env=env, stderr=subprocess.PIPE, text=True
            )
            ran = _timed(process)
        assert len(list((recipe.parent / "out").glob("*.jpg"))) == jobs
        return ran


def _on(workers: int) -> str:
    return f"workers: {workers}" if workers else "no cluster"


def _figure(ran: Ran, jobs: int) -> str:
    each = ran.processor / jobs * 1000
    return f"{jobs / ran.seconds:.1f} per second, driver {each:.0f} ms each, {ran.mb:.0f} MB"


def measure(whole: bool = False) -> list[Row]:
    """`whole`: memory with 200,000 jobs instead of 20,000."""
    rows: list[Row] = []
    for name, event in EVENTS.items():
        ended = bought(event)
        assert ended.exit == 0, ended.said
        figure = f"bill {ended.billed}, {ended.delivered} delivered, {ended.seconds:.0f} s"
        rows.append((f"{JOBS} paid jobs on 2 workers: {name}", figure, f"bill {JOBS}"))
    ended = bought_across_a_restart()
    assert ended.exit == 0, ended.said
    figure = f"bill {ended.billed}, {ended.delivered} delivered, {ended.seconds:.0f} s"
    rows.append(
        (
            f"{JOBS} paid jobs on 2 workers: the scheduler killed and started again",
            figure,
            f"bill {JOBS}",
        )
    )
    ended = driver_killed(KILLED)
    assert ended.exit == 0, ended.said
    figure = f"bill {ended.billed}, {ended.delivered} delivered, {ended.seconds:.0f} s"
    rows.append((f"{KILLED} paid jobs: SIGKILL of the driver, 4 times", figure, f"bill {KILLED}"))
    for workers in (0, 1, 2, 4):
        name = f"{LARGE} results of 4 MB to WebP, {_on(workers)}"
        rows.append((name, _figure(large(LARGE, workers), LARGE), ""))
    for workers in (0, 2):
        name = f"{PACED} results of 20 kB at {CALLS_A_SECOND} calls a second, {_on(workers)}"
        rows.append((name, _figure(paced(PACED, workers), PACED), ""))
    for workers in (0, 2):
        name = f"plan of {LARGE * 4} new images of 4 MB, {_on(workers)}"
        rows.append((name, _figure(planned(LARGE * 4, workers), LARGE * 4), ""))
    for jobs in (FEW, WHOLE if whole else MANY):
        ran = free(jobs, 2)
        figure = f"{ran.mb:.0f} MB, {jobs / ran.seconds:,.0f} jobs/s"
        rows.append((f"{jobs:,} free jobs on 2 workers: the driver", figure, "flat"))
    return rows


if __name__ == "__main__":
    role, *rest = sys.argv[1:]
    if role == "cluster":
        serve(*map(int, rest))
    else:
        _emulator(rest)
