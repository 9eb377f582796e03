"""What watching costs: the same binaries alone and under geist by turns, until more runs bring nothing new.

The speed of a machine changes from one minute to the next by more than what is to be measured. So the two sides take turns, and of
each binary the smallest figure counts: whatever disturbs a run makes it longer. Both sides run equally often, and the end is the
same for both: when neither has become faster for some rounds. A binary whose runs alone differ much does something else each time
(a random seed, a race to a deadline), so the smallest of a few says nothing: it is left out of both sides.
"""
import json
import math
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

UNDER = Path(__file__).resolve().parent / 'under'
LEAST_ROUNDS, MOST_ROUNDS = 3, 12
QUIET_ROUNDS = 2       # so many without news are the end
NEWS = 0.01            # a sum of processor time that is smaller by this share is news
MOST_SECONDS = 120.0   # no round is begun after that
MOST_SPREAD = 1.5      # of a binary's runs alone
LEAST_SPREAD_S = 0.1   # a binary that takes less is never left out


class Smallest:
    """The smallest figures of each run of one side."""

    def __init__(self):
        self.by_run = {}
        self.longest = {}  # processor time

    def sum(self, key):
        return sum(figures[key] for figures in self.by_run.values())

    def unsteady(self):
        """The runs that differ too much."""
        return {i for i, figures in self.by_run.items()
                if self.longest[i] > max(MOST_SPREAD * figures['cpu_s'], LEAST_SPREAD_S)}

    def leave_out(self, runs):
        for i in runs:
            self.by_run.pop(i, None)

    def add(self, notes):
        """Takes what tests/gate/under wrote of one round, None for what did not end; True when that is news."""
        before = self.sum('cpu_s') if self.by_run else math.inf
        for i, note in enumerate(notes):
            if note is None:
                continue
            known = self.by_run.setdefault(i, {'cpu_s': math.inf, 'wall_s': math.inf})
            self.longest[i] = max(self.longest.get(i, 0), note['cpu_s'])
            for key in known:
                known[key] = min(known[key], note[key])
        return self.sum('cpu_s') < before * (1 - NEWS)


def alternate(run, most_rounds=MOST_ROUNDS):
    """run(watched) gives the notes of one round. The smallest figures of the plain side and of the watched one, and which runs
    were left out."""
    plain, watched = Smallest(), Smallest()
    quiet, start = 0, time.monotonic()
    for n in range(most_rounds):
        order = (plain, watched) if n % 2 == 0 else (watched, plain)
        news = [side.add(run(side is watched)) for side in order]
        quiet = 0 if any(news) else quiet + 1
        if time.monotonic() - start > MOST_SECONDS or (n + 1 >= LEAST_ROUNDS and quiet >= QUIET_ROUNDS):
            break
    left_out = plain.unsteady()
    for side in (plain, watched):
        side.leave_out(left_out)
    return plain, watched, left_out


def run_again(note, geist):
    """One more run of a test binary, as `go test` had it started; nothing when it does not end."""
    with tempfile.TemporaryDirectory(prefix='again.', dir=Path(note['kept']).parent) as out:
        argv = [UNDER, out, geist or '-', note['kept'], *note['argv'][1:]]
        p = subprocess.Popen(argv, cwd=note['cwd'], env=note['env'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            p.wait(timeout=30 + 5 * note['wall_s'])
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
            return None
        found = [json.loads(f.read_text()) for f in Path(out).glob('*.json')]
    return found[0] if found else None


def measure_suite(notes, geist):
    """The binaries that one plain `go test` started and kept."""
    return alternate(lambda watched: [run_again(note, geist if watched else None) for note in notes])
