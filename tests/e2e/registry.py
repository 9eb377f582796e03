"""The cases of the end-to-end tests. A module cases_NAME.py says what its cases are when it is imported:

    case = registry.group('faults')

    @case                                    faults/no-locked-memory: the name comes from the function's
    def no_locked_memory(ctx): ...

    case.add('one-processor', same_result(…))    the same with a name of its own

    @registry.family                         cases that depend on the options and the default Go release
    def of_lab(options, default):
        yield registry.Case(name, check, build)

A check gets a Context. It returns a note or nothing, and raises Failure, BuildError or Skip.
"""
import argparse
import importlib
from dataclasses import dataclass
from pathlib import Path

from go_builds import Build, Builder
from watched import Watcher


@dataclass
class Context:
    """What a case may use."""
    folder: Path      # its own, kept when it fails
    builds: Builder
    watch: Watcher
    release: str      # of the programs of cases that do not choose one
    options: argparse.Namespace
    repeats: int = 0  # runs beyond the first, see attempts()

    def build(self, program, module='tests/go', release=None, **more):
        """The path of a built program."""
        return self.builds.get(Build(module, program, release or self.release, **more))

    def attempts(self, most=3):
        """For what a busy machine may spoil: `for _ in ctx.attempts():` until it breaks off. What is repeated is counted, and
        a run of the tests in which that happens often fails."""
        for number in range(most):
            self.repeats += number > 0
            yield number


@dataclass
class Case:
    name: str
    check: object           # Context -> note or None
    build: Build = None     # what it needs, to build many at once
    alone: bool = False     # measures or stresses: nothing else runs beside it
    slow: bool = False      # only with --slow


class Group:
    def __init__(self, name, **more):
        self.name, self.more = name, more

    def __call__(self, function):
        self.add(function.__name__.replace('_', '-'), function)
        return function

    def add(self, name, check):
        _named.append(Case(f'{self.name}{name}', check, **self.more))


_named = []
_families = []


def group(name, **more):
    """`more` is what all of its cases have: alone, slow."""
    return Group(name if name.endswith(('/', '-')) else name + '/', **more)


def family(function):
    _families.append(function)
    return function


def all_cases(options, default):
    """Of every module beside this one, families first."""
    for path in sorted(Path(__file__).parent.glob('cases_*.py')):
        importlib.import_module(path.stem)
    cases = [case for make in _families for case in make(options, default)] + _named
    names = [case.name for case in cases]
    if twice := sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []:
        raise ValueError(f'two cases of one name: {twice}')
    return [case for case in cases if options.slow or not case.slow]


def judge_repeats(cases, repeated):
    """`repeated`: name -> runs beyond the first. The line to print when there are any, and whether there are too many: more
    than 2 in 100 cases, and more than 3."""
    if not repeated:
        return '', False
    allowed = max(3, cases * 2 // 100)
    line = f'{len(repeated)} of {cases} cases were repeated, {sum(repeated.values())} more runs: {", ".join(sorted(repeated))}'
    if len(repeated) <= allowed:
        return line, False
    return f'FAIL repeats: {line}\n     {allowed} may be: this machine is too busy, or geist sees less than it did', True
