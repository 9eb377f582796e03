#!/usr/bin/env python3
"""kill_monitor.py [--geist PATH] [--rounds N] [--seed N] PROGRAM [ARGS...]

Kills geist with SIGKILL at random moments of `geist run -- PROGRAM` and looks what becomes of the program. PROGRAM prints
"started" first and its result last. Two outcomes are right:

  - geist died before the program's first instruction: the program never began, nothing was printed;
  - otherwise the program ends by itself, with its own output and exit code, as if nobody had ever watched.

The orphaned program is waited for by this script, which makes itself a subreaper for it.
"""
import argparse
import ctypes
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
LIMIT = 60  # seconds a program may take to end once geist is gone


class Killer:
    def __init__(self, geist, program, folder, args=('150',), seed=None):
        self.geist, self.program, self.args = str(geist), str(program), [str(a) for a in args]
        self.folder = Path(folder)
        self.random = random.Random(seed)
        self.never_began = self.finished_first = self.survived = self.reaped = 0
        start = time.monotonic()
        self.want = subprocess.run([self.program, *self.args], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        self.plain_time = time.monotonic() - start

    def rounds(self, count):
        """Gives a list of what went wrong, one sentence a round."""
        problems = []
        for number in range(count):
            # half of the kills in the first 100 ms, where geist launches and patches, the others all over the run
            most = 0.1 if number % 2 == 0 else self.plain_time * 1.3 + 0.1
            if problem := self._round(self.random.random() * most):
                problems.append(f'round {number}: {problem}')
        return problems

    def summary(self):
        return (f'{self.survived} programs went on alone, {self.never_began} had not begun, {self.reaped} had ended and '
                f'been waited for, {self.finished_first} were done before')

    def _round(self, delay):
        """Runs in a process of its own, which is the subreaper: no other child of this program is waited for by mistake."""
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(r)
            try:
                text = self._reap_round(delay)
            except Exception as error:  # a fault of this script must not look like success
                text = f'!{type(error).__name__}: {error}'
            os.write(w, text.encode()[:4000])
            os._exit(0)
        os.close(w)
        with os.fdopen(r, 'rb') as stream:
            text = stream.read().decode()
        os.waitpid(pid, 0)
        if text in ('never_began', 'finished_first', 'survived', 'reaped'):
            setattr(self, text, getattr(self, text) + 1)
            return ''
        return f'killed after {delay * 1000:.1f} ms: {text.lstrip("!")}'

    def _reap_round(self, delay):
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            return '!no subreaper'
        out_path, err_path = self.folder / 'kill.out', self.folder / 'kill.err'
        with open(out_path, 'wb') as out, open(err_path, 'wb') as err:
            p = subprocess.Popen([self.geist, 'run', f'--log={self.folder}/kill.log', '--', self.program, *self.args],
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        time.sleep(delay)
        os.kill(p.pid, signal.SIGKILL)
        _, status = os.waitpid(p.pid, 0)
        was_done = os.WIFEXITED(status)
        codes, end = [], time.monotonic() + LIMIT
        while True:  # everything that geist left behind is ours now
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid:
                codes.append(os.waitstatus_to_exitcode(status))
            elif time.monotonic() > end:
                self._end_orphans()
                return f'!the program still ran {LIMIT} s later'
            else:
                time.sleep(0.005)
        out, err = out_path.read_bytes(), err_path.read_bytes()
        if out == self.want.stdout:
            # All was written, and nobody is left to be waited for: geist had done that and was on its way to its own end.
            if not was_done and not codes:
                return 'reaped'
            if not was_done and codes != [self.want.returncode]:
                return f'!output right, but it ended with {codes}, expected [{self.want.returncode}]; stderr {err[:300]!r}'
            return 'finished_first' if was_done else 'survived'
        # 127 is what geist's child ends with when it is left alone before it has become the program.
        if out == b'' and not was_done and codes in ([], [-signal.SIGKILL], [127]):
            return 'never_began'
        return f'!output {out[:200]!r}, ended with {codes}, stderr {err[:600]!r}'

    def _end_orphans(self):
        """Ends the children of this process, which can only be the program and what it started."""
        children = Path(f'/proc/self/task/{os.getpid()}/children').read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--geist', default=Path(__file__).resolve().parents[2] / 'build' / 'release' / 'geist')
    parser.add_argument('--rounds', type=int, default=200)
    parser.add_argument('--seed', type=int)
    parser.add_argument('program')
    parser.add_argument('args', nargs=argparse.REMAINDER)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        killer = Killer(options.geist, options.program, folder, options.args or ('150',), options.seed)
        problems = killer.rounds(options.rounds)
    for problem in problems:
        print(problem)
    print(f'{options.rounds} rounds: {killer.summary()}, {len(problems)} wrong')
    sys.exit(1 if problems else 0)


if __name__ == '__main__':
    main()
