"""Breaks the safety code on purpose, one line at a time, and sees the harness turn red.

    python -m benchmarks.reliability.mutants             all of them
    python -m benchmarks.reliability.mutants NAME…       some

Each mutant is a piece of source that is replaced in a copy of the repository; the check named with it
runs there and must fail. A piece that is no longer found is an error: the mutant has to follow.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reliability.rehearsal import ROOT, environment

COPIED = ("relightflow", "benchmarks", "tests", "schemas", "pyproject.toml")
RESEND = "tests/run/jobs/test_resend.py"
SIMULATOR = "tests/reliability/test_simulator.py"
CLAIMS = "tests/run/shared/test_claims.py"
RESERVATIONS = "tests/run/shared/test_reservation.py"
RULES = "tests/reliability/test_rules.py"
FAULTS = "tests/reliability/test_grid.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    name: str
    file: str
    edits: tuple[tuple[str, str], ...]
    check: str
    """What must turn red: a test file, perhaps with ` -k expression`."""


MUTANTS = (
    Mutant(
        "the call leaves before INTENT is durable", "run/jobs/submit.py",
        (
            ("            try:\n                call, attempt = await self._intend(",
             "            early = await backend.submit(Call(job, prepared))\n            try:\n                call, attempt = await self._intend("),
            ("step = await backend.submit(call)\n            except", "step = early\n            except"),
        ),
        SIMULATOR,
    ),
    Mutant("synchronous = NORMAL", "ledger/ledger.py",
           (("PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"),), RULES + " -k power_cut"),
    Mutant("no write-ahead log", "ledger/ledger.py",
           (("PRAGMA journal_mode = WAL", "PRAGMA journal_mode = MEMORY"),), RULES + " -k power_cut"),
    Mutant("no unique index", "ledger/schema.py",
           (("CREATE UNIQUE INDEX attempt_at", "CREATE INDEX attempt_at"),), RULES + " -k one_open_attempt"),
    Mutant("illegal moves allowed", "ledger/schema.py",
           (("WHEN (OLD.state || '>' || NEW.state) NOT IN ({_MOVES})", "WHEN 0"),), RULES + " -k one_open_attempt"),
    Mutant("a lost answer counts as never sent", "backends/http/client.py",
           (("        if sent.released:\n", "        if False:\n"),), FAULTS + " -k (segmind and (answer or record))"),
    Mutant("a redirect is followed with the key", "backends/http/client.py",
           (("allow_redirects=False", "allow_redirects=True"),), FAULTS + " -k redirect"),
    Mutant("a doubt is READY after a restart", "ledger/ledger.py",
           (("WHEN 0 THEN 'READY' ELSE 'UNKNOWN' END", "WHEN 0 THEN 'READY' ELSE 'READY' END"),),
           SIMULATOR),
    Mutant("the request id is not stored before it is used", "run/jobs/collect.py",
           (("            if not known:\n", "            if not known and not isinstance(step, Accepted):\n"),),
           SIMULATOR),
    Mutant("calls in flight do not count against the cap", "run/limits/account.py",
           (("in (self.in_flight, self.unknown)", "in (self.unknown,)"),),
           SIMULATOR),
    Mutant("doubts do not count against the cap", "run/limits/account.py",
           (("in (self.in_flight, self.unknown)", "in (self.in_flight,)"),),
           SIMULATOR),
    Mutant("a job is bought without a claim", "run/jobs/submit.py",
           (("            if self.claims:\n                await self.claims.take(", "            if False:\n                await self.claims.take("),),
           CLAIMS + " -k at_once"),
    Mutant("what was finished before the claim is bought", "run/shared/claims.py",
           (("        return not finished\n", "        return True\n"),),
           CLAIMS + " -k between_the_look"),
    Mutant("a call leaves under a reservation that was ended", "run/shared/reservation.py",
           (("s.reservations.is_ended(name)", "False"),),
           RESERVATIONS + " -k slow"),
    Mutant("the calls under a reservation that is ended are forgotten", "run/shared/costs.py",
           (("    every = parts.total()", "    every = 0"),),
           RESERVATIONS + " -k vanished"),
    Mutant("what other machines have reserved does not count", "run/shared/reservation.py",
           (("account.reserved = max(0, held + ended - known)", "account.reserved = 0"),),
           RESERVATIONS + " -k started_at_once"),
    Mutant("a claim that this ledger does not know is its own", "run/shared/claims.py",
           (("        return reader.recall(_NOTES, _unsent(claim.attempt)) is not None", "        return True"),),
           CLAIMS + " -k nobody_answers"),
    Mutant("a claim goes though its call may have been billed", "run/shared/claims.py",
           (("        if failure.billed is Billed.NO:\n", "        if failure.billed is not Billed.YES:\n"),),
           "tests/run/shared/test_costs.py -k without_an_image"),
    Mutant("anybody takes a claim away", "store/claims.py",
           (("if claim and claim.attempt == attempt:", "if claim:"),), "tests/store/test_claims.py -k owner"),
    Mutant("every run has a cap of its own", "run/limits/spend.py",
           (("charges, known = reader.charges(), reader.recipes()", "charges, known = [], []"),), SIMULATOR),
    Mutant("STORED before the blob is durable", "store/blobs.py",
           (("return await self._batcher.ask(_Blob(data, label, aside=False))",
             "self._batcher.tell(_Blob(data, label, aside=False))\n"
             "        return hashlib.sha256(data).hexdigest()"),), SIMULATOR),
    Mutant("blobs are not synced", "store/sync.py",
           (("    for path in (*files, *folders):\n", "    for path in ():\n"),), RULES + " -k synced"),
    Mutant("recovery is left out", "run/engine.py",
           (("if fetch_only else recovery.recover():", "if fetch_only else none():"),
            ("@dataclass(frozen=True, slots=True)\nclass Engine",
             "async def none():\n    for item in ():\n        yield item\n\n\n"
             "@dataclass(frozen=True, slots=True)\nclass Engine")),
           SIMULATOR),
    Mutant("no lock", "ledger/lock.py",
           (("fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass"),), RULES + " -k many_processes"),
    Mutant("ambiguous evidence is believed", "backends/history/matching.py",
           (("for r in fitting) > len(cluster):", "for r in fitting) > 10**9:"),),
           "tests/backends/history/test_matching.py"),
    Mutant("a call is absent without proof", "backends/history/lookup.py",
           (("        if why is None and attempt.id in", "        why = None\n        if why is None and attempt.id in"),), "tests/backends/segmind/test_history.py"),
    Mutant("rows that the ledger owns are adopted again", "backends/history/lookup.py",
           (("if n not in query.known_ids]", "if n]"),), "tests/backends/segmind/test_history.py"),
    Mutant("the key goes to the output host", "backends/http/backend.py",
           (("        self._opened = api, ", "        session.straight.headers['x-api-key'] = key\n        self._opened = api, "),),
           RULES + " -k the_key"),
    Mutant("a 5xx without the gateway's JSON is sent again", "backends/segmind/responses.py",
           (("    if not own_words:\n", "    if not own_words and status < 500:\n"),), FAULTS + " -k html"),
    Mutant("a call is sent again whose name may be forgotten", "run/jobs/resend.py",
           (("    if now - sent > settlement.seconds * _SPARE:\n", "    if False:\n"),), RESEND),
    Mutant("a call is sent again under another account", "run/jobs/resend.py",
           (("    if attempt.details.get(ACCOUNT) != account:\n", "    if False:\n"),), RESEND),
    Mutant("a call that may be sent again is not kept", "run/jobs/submit.py",
           (("        await asyncio.to_thread(self.bodies.keep, call.name, body)\n", ""),), RESEND),
    Mutant("a v1 504 is sent again", "backends/segmind/responses.py",
           ((' and not (status == 504 and api == "v1")', ""),),
           FAULTS + " -k 504"),
    Mutant("a paid result that is not an image is bought again", "run/actions.py",
           (("return Action.MAKE if job_state.billed is Billed.NO else Action.HOLD_FAILED",
             "return Action.MAKE"),), FAULTS + " -k garbage"),
    Mutant("an unbilled failure is said to be unknown", "run/limits/retry.py",
           (("    if failure.billed is not Billed.NO:\n        return GiveUp(failure)\n",
             "    if failure.kind is FailureKind.UNKNOWN:\n        return Retry(0.1, counts)\n"),), SIMULATOR),
)  # fmt: skip
QUICK = ("synchronous = NORMAL", "no unique index", "no lock", "blobs are not synced")
"""Those that `make test` tries."""


@dataclass(frozen=True, slots=True)
class Tried:
    mutant: Mutant
    caught: bool
    seconds: float


def copy_to(folder: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)


def broken(mutant: Mutant, text: str) -> str:
    """The source `text` as the mutant has it. Raises ValueError where the source has moved on."""
    for old, new in mutant.edits:
        if old not in text:
            raise ValueError(f"mutant '{mutant.name}': {mutant.file} no longer holds {old!r}")
        text = text.replace(old, new)
    return text


def apply(mutant: Mutant, folder: Path) -> None:
    """Raises ValueError where the source has moved on."""
    path = folder / "relightflow" / mutant.file
    path.write_text(broken(mutant, path.read_text(encoding="utf-8")), encoding="utf-8")


def red(check: str, folder: Path) -> bool:
    """Whether `check` fails in the copy. Raises RuntimeError where it did not run at all."""
    path, _, chosen = check.partition(" -k ")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", path]
    more = ["-k", chosen] if chosen else []
    ended = subprocess.run(
        [*command, *more], cwd=folder, env=environment(package=folder), capture_output=True,
        text=True, timeout=600, check=False,
    )  # fmt: skip
    if ended.returncode not in (0, 1):
        raise RuntimeError(f"{check}: {ended.stdout[-800:]}{ended.stderr[-400:]}")
    return ended.returncode == 1


def tried(mutant: Mutant) -> Tried:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        copy_to(folder)
        apply(mutant, folder)
        caught = red(mutant.check, folder)
    return Tried(mutant, caught, time.monotonic() - began)


def main(names: list[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    missed = 0
    for mutant in chosen:
        error = tried(mutant)
        missed += not error.caught
        word = "caught" if error.caught else "MISSED"
        print(f"| {mutant.name} | {mutant.check} | {word} | {error.seconds:.0f} s |", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
