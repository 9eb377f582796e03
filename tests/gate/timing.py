"""What watching costs: the same binaries alone and under geist by turns.

The speed of a machine changes from one minute to the next by more than what is to be measured, so the two sides take turns, equally
often. Of each binary the median counts. The smallest figure does not do: there are binaries with a few quick runs among many slow
ones (when the collector happens to run, say), and which side has such a run is chance. A binary whose runs alone are far apart even
in the middle half does something else each time (a random seed, a race to a deadline): it is left out of both sides.
"""
import statistics
import time

from binaries import run_kept

ROUNDS = 9
LEAST_ROUNDS = 5
MOST_SECONDS = 240.0   # no round is begun after that, once there were the least
MOST_SPREAD = 1.4      # the upper quartile of a binary's runs alone, as a multiple of the lower one
SECONDS_FOR_ONE = 960.0
LEAST_SPREAD_S = 0.1   # a binary that takes less is never left out


class Side:
    """What tests/gate/under wrote of all runs of one side, by binary."""

    def __init__(self):
        self.by_run = {}

    def add(self, notes):
        """Takes what tests/gate/under wrote of one round, None for what did not end."""
        for i, note in enumerate(notes):
            if note is not None:
                self.by_run.setdefault(i, []).append(note)

    def figures(self, i, key):
        return [note[key] for note in self.by_run[i]]

    def sum(self, key):
        return sum(statistics.median(self.figures(i, key)) for i in self.by_run)

    def unsteady(self):
        """The binaries whose median says little."""
        found = set()
        for i in self.by_run:
            cpu_s = self.figures(i, 'cpu_s')
            if len(cpu_s) > 1:
                lower, _, upper = statistics.quantiles(cpu_s, n=4, method='inclusive')
                if upper > max(MOST_SPREAD * lower, LEAST_SPREAD_S):
                    found.add(i)
        return found

    def leave_out(self, runs):
        for i in runs:
            self.by_run.pop(i, None)


def alternate(run, rounds=ROUNDS):
    """run(watched) gives the notes of one round. The plain side, the watched one, and which binaries were left out of both."""
    plain, watched = Side(), Side()
    start = time.monotonic()
    for n in range(rounds):
        if n >= LEAST_ROUNDS and time.monotonic() - start > MOST_SECONDS:
            break
        for side in (plain, watched) if n % 2 == 0 else (watched, plain):
            side.add(run(side is watched))
    left_out = plain.unsteady() | (plain.by_run.keys() ^ watched.by_run.keys())  # the latter did not end on one side
    for side in (plain, watched):
        side.leave_out(left_out)
    return plain, watched, left_out


def measure_suite(binaries, geist, tell_findings):
    """Of test binaries that were kept, see suites.py. Each run may find something, too: tell_findings is given what."""
    def run(is_watched):
        notes = [run_kept(b, geist if is_watched else None, SECONDS_FOR_ONE)[0] for b in binaries]
        if is_watched:
            tell_findings([f for n in notes if n for f in n.get('report', {}).get('findings', [])])
        return notes
    return alternate(run)
