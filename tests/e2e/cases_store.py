"""What was said on the screen is in the store, whatever ends geist; what cannot be kept is said, and the run goes on."""
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import time

import registry
from go_builds import Build
from truth import LEVELS
from watched import Failure

SAID = re.compile(r'^geist: (\w+): append in (\S+) .*, kept as run (\d+)$', re.M)


def start(ctx, env, *more, errors=None):
    binary = ctx.builds.get(Build('tests/go', 'many_ghosts', ctx.release))
    with open(errors or ctx.folder / 'err', 'wb') as err:
        return subprocess.Popen([ctx.watch.geist, 'run', *more, '--', binary, 'longer'], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=err, env=env, start_new_session=True)


def kept(ctx, env, which):
    """function → level of the findings of a kept run."""
    done = subprocess.run([ctx.watch.geist, 'report', which, '--as=json'], env=env, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode not in (0, 1):
        raise Failure(f'geist report {which}: exit status {done.returncode}: {done.stderr.strip()}')
    return {f['site']['function'].rsplit('/', 1)[-1]: f['level'] for f in json.loads(done.stdout)['findings']}


def kills(count):
    """Kills geist at random moments; every finding that it had told is in the store, and the store is whole."""
    def check(ctx):
        env = dict(os.environ, XDG_STATE_HOME=str(ctx.folder / 'state'))
        chance = random.Random(ctx.options.seed)
        told = 0
        for number in range(count):
            geist = start(ctx, env, f'--keep-runs={count + 1}')
            time.sleep(0.9 + chance.random() * 1.4)
            geist.send_signal(signal.SIGKILL)
            geist.wait()
            text = (ctx.folder / 'err').read_text(errors='replace')
            end_group(geist.pid)
            said = SAID.findall(text)
            told += len(said)
            there = kept(ctx, env, said[0][2]) if said else {}
            for level, function, _ in said:
                if LEVELS.index(there.get(function, 'latent')) < LEVELS.index(level):
                    raise Failure(f'kill {number}: told {level} in {function}, kept {there}')
        listed = subprocess.run([ctx.watch.geist, 'report', '--list'], env=env, capture_output=True, text=True, timeout=60, check=False)
        if listed.returncode != 0 or not told:
            raise Failure(f'{told} findings told in {count} runs; --list: {listed.stdout[-200:]} {listed.stderr[-300:]}')
        return f'{told} findings told before {count} kills'
    return check


def end_group(group):
    """The program goes on without geist; nobody waits for it here."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def cannot_be_kept(ctx):
    """A folder that cannot be made is one note; report and exit status are those of any run."""
    (ctx.folder / 'file').write_text('')
    env = dict(os.environ, XDG_STATE_HOME=str(ctx.folder / 'file'))
    geist = start(ctx, env)
    code = geist.wait(timeout=60)
    text = (ctx.folder / 'err').read_text()
    notes = [line for line in text.splitlines() if 'kept' in line]
    if code != 66 or len(notes) != 1 or 'not all of this run is kept' not in notes[0] or 'Not a directory' not in notes[0]:
        raise Failure(f'exit status {code}, {text[-600:]}')


def killed_at_once(count, most=8):
    """Many geists write at the same time and are killed one after the other; what any had told is kept, and the file is whole."""
    def check(ctx):
        env = dict(os.environ, XDG_STATE_HOME=str(ctx.folder / 'state'))
        chance = random.Random(ctx.options.seed)
        running, told = [], {}
        for number in range(count):
            while len(running) < min(most, count - number):
                errors = ctx.folder / f'err-{number}-{len(running)}-{chance.random()}'
                running.append((start(ctx, env, f'--keep-runs={10 * count}', errors=errors), errors))
                time.sleep(chance.random() * 0.3)
            geist, errors = running.pop(chance.randrange(len(running)))
            time.sleep(chance.random() * 0.5)
            geist.send_signal(signal.SIGKILL)
            geist.wait()
            end_group(geist.pid)
            for level, function, run in SAID.findall(errors.read_text(errors='replace')):
                told[run, function] = level
        runs = {run: kept(ctx, env, run) for run in {run for run, _ in told}}
        for (run, function), level in told.items():
            if LEVELS.index(runs[run].get(function, 'latent')) < LEVELS.index(level):
                raise Failure(f'run {run} told {level} in {function}, kept {runs[run]}')
        if not told:
            raise Failure('nothing was told by anybody')
        db = sqlite3.connect(ctx.folder / 'state' / 'geist' / 'runs.db')
        answer = db.execute('PRAGMA integrity_check').fetchall()
        db.close()
        if answer != [('ok',)]:
            raise Failure(f'integrity check: {answer}')
        return f'{len(told)} findings told by {len(runs)} runs before {count} kills'
    return check


def many_at_once(ctx):
    """Ten geists at the same time keep ten runs."""
    env = dict(os.environ, XDG_STATE_HOME=str(ctx.folder / 'state'))
    running = [start(ctx, env) for _ in range(10)]
    for geist in running:
        geist.wait(timeout=120)
    listed = subprocess.run([ctx.watch.geist, 'report', '--list', '--as=json'], env=env, capture_output=True, text=True, timeout=60, check=True)
    runs = json.loads(listed.stdout)['runs']
    if len(runs) != 10 or any(run['ended'] is None for run in runs):
        raise Failure(f'{len(runs)} runs, {sum(run["ended"] is None for run in runs)} without an end')


case = registry.group('store')
case.add('20-kills', kills(20))
case.add('killed-at-once', killed_at_once(16))
case.add('cannot-be-kept', cannot_be_kept)
case.add('many-at-once', many_at_once)
slow_case = registry.group('slow', slow=True, alone=True)
slow_case.add('100-kills', kills(100))
slow_case.add('100-killed-at-once', killed_at_once(100))
