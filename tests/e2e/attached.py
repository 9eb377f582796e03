"""Programs that run already, for geist to attach to, and what may not have changed behind it."""
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from watched import Ended, Failure, shell_code

PATIENCE = 60


class Program:
    """A program of tests/go that says "ready PID", runs until its input ends, and then prints its result."""

    def __init__(self, argv, **more):
        self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **more)
        line = self.process.stdout.readline().decode()
        if not line.startswith('ready'):
            raise Failure(f'the program is not ready: {line!r}')
        self.pid = int(line.split()[1]) if ' ' in line else self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def end(self):
        """Ends its input; gives how it ended."""
        try:
            out, err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure('the program did not end after geist had left') from None
        return Ended(shell_code(self.process.returncode), out, err)

    def must_end_well(self):
        ended = self.end()
        if ended.code != 0 or not ended.out.rstrip().endswith(b'failed 0'):
            raise Failure(f'the program ended with {ended.code}, {ended.out!r}, {ended.err[:800]!r}')
        return ended


def code_of(pid):
    """The bytes of the program's code in memory."""
    executable = os.readlink(f'/proc/{pid}/exe')
    parts = []
    with open(f'/proc/{pid}/mem', 'rb', 0) as memory:
        for line in Path(f'/proc/{pid}/maps').read_text().splitlines():
            area, permissions, *_, path = line.split(maxsplit=5)
            if 'x' not in permissions or path != executable:
                continue
            begin, end = (int(word, 16) for word in area.split('-'))
            memory.seek(begin)
            parts.append(memory.read(end - begin))
    if not parts:
        raise Failure(f'no code of {executable} in the maps')
    return b''.join(parts)


def possessions(pid):
    """What must not grow: open files, threads, mappings, resident memory in KiB."""
    status = Path(f'/proc/{pid}/status').read_text()
    return {'files': len(os.listdir(f'/proc/{pid}/fd')),
            'threads': int(re.search(r'Threads:\s+(\d+)', status)[1]),
            'mappings of geist': Path(f'/proc/{pid}/maps').read_text().count('geist'),
            'resident': int(re.search(r'VmRSS:\s+(\d+)', status)[1])}


def wait_until(condition, why, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f'not within {seconds} s: {why}')
        time.sleep(0.01)


class Attached:
    """A geist that watches a process until it is told to end."""

    def __init__(self, geist, pid, folder, tag='run', flags=()):
        self.log = folder / f'{tag}.err'
        self.process = subprocess.Popen([str(geist), 'attach', str(pid), f'--report=json:{folder}/{tag}.json', *flags],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log, 'wb'))

    def __enter__(self):
        wait_until(lambda: b'watching process' in self.log.read_bytes() or self.process.poll() is not None, 'attached')
        if self.process.poll() is not None:
            raise Failure(f'geist ended with {self.process.returncode}: {self.log.read_text()}')
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def end(self, sig=signal.SIGINT):
        self.process.send_signal(sig)
        try:
            return self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure('geist did not end') from None
