"""What watching costs: the same binaries alone and under geist by turns, until more runs bring nothing new.

The speed of a machine changes from one minute to the next by more than what is to be measured. So the two sides take turns, and of
each binary the smallest figure counts: whatever disturbs a run makes it longer. Both sides run equally often, and the end is the
same for both: when neither has become faster for some rounds and they are about as fast, otherwise after all rounds. A binary that
mostly takes much longer alone than its quickest run does something else each time (a random seed, a race to a deadline), so the
smallest of a few says nothing: it is left out of both sides.
"""
import json
import math
import os
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

UNDER = Path(__file__).resolve().parent / 'under'
LEAST_ROUNDS, MOST_ROUNDS = 4, 12
QUIET_ROUNDS = 2       # so many without news are the end
NEWS = 0.01            # a sum of processor time that is smaller by this share is news
USUAL = 1.1            # sides that are further apart than this factor, either way, run all rounds
MOST_SECONDS = 240.0   # no round is begun after that
MOST_SPREAD = 1.5      # the median of a binary's runs alone, as a multiple of the smallest
LEAST_SPREAD_S = 0.1   # a binary that takes less is never left out


class Smallest:
    """The smallest figures of each run of one side."""

    def __init__(self):
        self.by_run = {}
        self.cpu_s = {}  # all of them

    def sum(self, key):
        return sum(figures[key] for figures in self.by_run.values())

    def unsteady(self):
        """The runs whose smallest figure is no usual one."""
        return {i for i, figures in self.by_run.items()
                if statistics.median(self.cpu_s[i]) > max(MOST_SPREAD * figures['cpu_s'], LEAST_SPREAD_S)}

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
            self.cpu_s.setdefault(i, []).append(note['cpu_s'])
            for key in known:
                known[key] = min(known[key], note[key])
        return self.sum('cpu_s') < before * (1 - NEWS)


def is_usual(plain, watched):
    a, b = plain.sum('cpu_s'), watched.sum('cpu_s')
    return a <= b * USUAL and b <= a * USUAL


def alternate(run, most_rounds=MOST_ROUNDS):
    """run(watched) gives the notes of one round. The smallest figures of the plain side and of the watched one, and which runs
    were left out."""
    plain, watched = Smallest(), Smallest()
    quiet, start = 0, time.monotonic()
    for n in range(most_rounds):
        order = (plain, watched) if n % 2 == 0 else (watched, plain)
        news = [side.add(run(side is watched)) for side in order]
        quiet = 0 if any(news) else quiet + 1
        if time.monotonic() - start > MOST_SECONDS:
            break
        if n + 1 >= LEAST_ROUNDS and quiet >= QUIET_ROUNDS and is_usual(plain, watched):
            break
    left_out = plain.unsteady() | (plain.by_run.keys() ^ watched.by_run.keys())  # the latter did not end on one side
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
