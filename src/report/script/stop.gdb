# Made by geist report --as=gdb. Stops right before an append overwrites an element as the report's victim had it, prints the headers
# and the values, and goes on.
#   gdb -batch -x THIS_FILE --args ./prog arg...
set pagination off
set confirm off
set print thread-events off
set debuginfod enabled off
handle SIGURG nostop noprint pass
handle SIGPIPE nostop noprint pass
python
import ast, gdb, json, os, struct

REPORT = json.loads("@REPORT@")
MOST_SHOWN = 10    # of one append
MOST_FRAMES = 32   # that are looked into for slices
WORD = (1 << 64) - 1
INTEGERS = {'int': 8, 'int8': 1, 'int16': 2, 'int32': 4, 'int64': 8, 'uint': 8, 'uint8': 1, 'uint16': 2, 'uint32': 4, 'uint64': 8,
            'uintptr': 8, 'bool': 1}


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address & WORD, size))


def word(address):
    return struct.unpack('<Q', read(address, 8))[0]


def reg(name, frame=None):
    return int((frame or gdb.newest_frame()).read_register(name)) & WORD


def real_frame(count):
    """So many frames above the newest one; inlined calls are none."""
    frame = gdb.newest_frame()
    while frame is not None:
        if frame.type() != gdb.INLINE_FRAME:
            if count == 0:
                return frame
            count -= 1
        frame = frame.older()
    raise ValueError('the stack has fewer frames')


def say(text):
    gdb.write(text + '\n')
    gdb.flush()


def load_bias():
    """What is added to addresses as linked; fails when this is not the program of the report."""
    pid = gdb.selected_inferior().pid
    program = os.path.realpath(f'/proc/{pid}/exe')
    for line in open(f'/proc/{pid}/maps'):
        addresses, _, offset, _, _, *path = line.split(maxsplit=5)
        if int(offset, 16) != 0 or not path or os.path.realpath(path[0].strip()) != program:
            continue
        base = int(addresses.split('-')[0], 16)
        head = read(base, 4096)
        build_id = REPORT['build_id']
        as_bytes = bytes.fromhex(build_id) if len(build_id) == 40 and '/' not in build_id else build_id.encode()
        if as_bytes not in head:
            raise gdb.GdbError('geist: this is not the program of the report: it has another build ID. Run geist again on this one.')
        table, count = struct.unpack_from('<Q', head, 32)[0], struct.unpack_from('<H', head, 56)[0]  # e_phoff, e_phnum
        for at in range(table, min(table + 56 * count, 4096 - 55), 56):
            kind, _, begin, linked = struct.unpack_from('<IIQQ', head, at)
            if kind == 1 and begin == 0:  # PT_LOAD
                return base - linked
    raise gdb.GdbError('geist: the program is not to be found among its own mappings')


def element_text(data, kind):
    """An element in Go's words where its type says how; else its bytes as words."""
    if kind == 'string' and len(data) == 16:
        at, size = struct.unpack('<QQ', data)
        text = read(at, min(size, 200)) if size else b''
        return json.dumps(text.decode('utf-8', 'replace'), ensure_ascii=False) + ('…' if size > 200 else '')
    if INTEGERS.get(kind) == len(data):
        number = int.from_bytes(data, 'little', signed=kind.startswith('int'))
        return ('true' if number else 'false') if kind == 'bool' else str(number)
    if kind in ('float32', 'float64') and len(data) == int(kind[5:]) // 8:
        return f'{struct.unpack("<f" if len(data) == 4 else "<d", data)[0]:g}'
    if len(data) % 8 == 0:
        return ' '.join(f'{one:#x}' for one in struct.unpack(f'<{len(data) // 8}Q', data)[:8])
    return data[:64].hex()


def visible_slices(at):
    """Slices in the frames of this goroutine that cover the address: (frame, name, array, len, cap)."""
    frame, seen = gdb.newest_frame(), 0
    while frame is not None and seen < MOST_FRAMES:
        try:
            block = frame.block()
        except RuntimeError:
            block = None
        while block is not None and not block.is_global and not block.is_static:
            for symbol in block:
                if not (symbol.is_variable or symbol.is_argument):
                    continue
                try:
                    value = symbol.value(frame)
                    names = [field.name for field in value.type.strip_typedefs().fields()]
                    if names != ['array', 'len', 'cap']:
                        continue
                    array, size, cap = int(value['array']) & WORD, int(value['len']), int(value['cap'])
                    element = value['array'].type.target().sizeof
                except (gdb.error, TypeError, ValueError):
                    continue  # optimized away here, or no slice
                if 0 <= size <= cap and array <= at < array + size * element:
                    yield frame.name() or '?', symbol.name, array, size, cap
            block = block.superblock
        frame, seen = frame.older(), seen + 1


class Ghost(gdb.Breakpoint):
    """Right before one append writes."""

    def __init__(self, finding, bias):
        super().__init__(f'*{int(finding["pc"], 16) + bias:#x}', internal=True)
        self.silent = True
        self.finding, self.names = finding, {'word': word, 'reg': reg, 'image': bias}
        self.last = None
        self.shown = self.others = self.more = 0
        self.problem = None

    def number(self, key, frame=None):
        names = dict(self.names, reg=lambda name: reg(name, frame))
        return eval(self.finding[key], {'__builtins__': {}}, names) & WORD  # of the grammar of report/debugger.h

    def is_reported(self, data):
        """Whether the element is as the victim had it; None where its bytes differ from run to run."""
        finding = self.finding
        if finding['type'] == 'string':
            try:
                wanted = ast.literal_eval(finding['before'])
            except (ValueError, SyntaxError):
                return None  # a long one, cut
            at, size = struct.unpack('<QQ', data)
            return size == len(wanted.encode()) and read(at, size) == wanted.encode()
        if finding['type'] in (*INTEGERS, 'float32', 'float64') or finding['size'] == 1:
            return data == bytes.fromhex(finding['before_hex'])[:len(data)]
        return None

    def stop(self):
        try:
            self.look()
        except (gdb.error, gdb.MemoryError, struct.error, ValueError) as problem:
            self.problem = str(problem)
        return False

    def look(self):
        finding = self.finding
        new_len, cap, added = self.number('new_len'), self.number('cap'), self.number('added')
        if new_len > cap or added == 0:
            return  # it grows: nothing is overwritten
        array, size = self.number('array'), finding['size']
        old_len = new_len - added
        at = array + (old_len + min(finding['changed'], added - 1)) * size
        data = read(at, size if size > 1 else max(1, min(len(finding['before_hex']) // 2, 64)))
        if not any(data):
            return  # nothing was there
        if self.is_reported(data) is False:
            self.others += 1
            return
        here = (reg('rsp'), array, new_len, data)
        if here == self.last:
            return  # the same stop: gdb asks twice, or the goroutine goes on in another thread
        self.last = here
        if self.shown == MOST_SHOWN:
            self.more += 1
            return
        self.shown += 1
        self.show(array, old_len, cap, added, at, data)

    def show(self, array, old_len, cap, added, at, data):
        finding = self.finding
        text = json.dumps(data.decode('utf-8', 'replace')) if finding['size'] == 1 else element_text(data, finding['type'])
        say(f'geist: finding {finding["id"]}: before the append in {finding["place"]}')
        say(f'  operand  array {array:#x}  len {old_len}  cap {cap}; the append writes {added} from index {old_len} on')
        say(f'  element  {at:#x}: {text}')
        say(f'  report   {finding["before"]} became {finding["after"]}; victim: {finding["victim"]}')
        if finding['victim_array']:
            frame = real_frame(finding['victim_frame'])
            size = f'  len {self.number("victim_len", frame)}' if finding['victim_len'] else ''
            say(f'  victim   array {self.number("victim_array", frame):#x}{size}  in {frame.name() or "?"}')
        for function, name, other, size, room in visible_slices(at):
            say(f'  slice    {name} in {function}: array {other:#x}  len {size}  cap {room}')
        frame, level = gdb.newest_frame(), 0
        while frame is not None and level < 5:
            line = frame.find_sal()
            where = f'{line.symtab.filename}:{line.line}' if line.symtab else f'{frame.pc():#x}'
            say(f'  #{level}       {frame.name() or "?"} {where}')
            frame, level = frame.older(), level + 1

    def end(self):
        finding, others = self.finding, f'{self.others} times another element was overwritten'
        if self.problem and not self.shown:
            return f'finding {finding["id"]}: could not be read: {self.problem}'
        if not self.shown:
            return f'finding {finding["id"]}: its append overwrote no {finding["before"]} in this run ({others})'
        return f'finding {finding["id"]}: shown {self.shown} times, {self.more} more, {others}'


gdb.execute('starti', to_string=True)
bias = load_bias()
ghosts = [Ghost(finding, bias) for finding in REPORT['findings']]
end
continue
python
for ghost in ghosts:
    say('geist: ' + ghost.end())
end
