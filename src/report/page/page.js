// The page of a report. Everything shown comes from the JSON in #report and is hostile: it reaches the document as text
// nodes only, and what a reader could not see or would be misled by (control characters, direction marks) is spelled out.
// The list draws only the rows in view, so that ten thousand findings cost what thirty do.
'use strict';
(() => {
  const report = JSON.parse(document.getElementById('report').textContent);
  const target = report.target || {};
  const $ = (id) => document.getElementById(id);

  // --- text ---

  const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
  const visible = (text) => String(text ?? '').replace(UNSAFE, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));

  // el('p.quiet', 'text', child): the only way anything gets into the document.
  function el(what, ...children) {
    const [name, ...classes] = what.split('.');
    const node = document.createElement(name);
    if (classes.length) node.className = classes.join(' ');
    for (const child of children) {
      if (child !== null && child !== undefined && child !== '') node.append(child instanceof Node ? child : visible(child));
    }
    return node;
  }
  const SVG = 'http://www.w3.org/2000/svg';
  function svg(name, attributes, text) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.append(visible(text));
    return node;
  }

  // "echo.(*Group).add" from "github.com/labstack/echo.(*Group).add"; type arguments keep their paths.
  function shortFunction(name) {
    name = String(name ?? '');
    const bound = name.search(/[([]/);
    const slash = name.lastIndexOf('/', bound < 0 ? name.length : bound);
    return name.slice(slash + 1).replace(/%([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  }
  function shortFile(file) {
    file = String(file ?? '');
    for (const folder of [target.module_dir, target.goroot && target.goroot + '/src']) {
      if (folder && file.startsWith(folder + '/')) return file.slice(folder.length + 1);
    }
    const version = file.lastIndexOf('@');
    const slash = version < 0 ? -1 : file.indexOf('/', version);
    if (slash >= 0) return file.slice(slash + 1);
    return target.module && file.startsWith(target.module + '/') ? file.slice(target.module.length + 1) : file;
  }
  const place = (frame) => (frame.file ? shortFile(frame.file) + (frame.line ? ':' + frame.line : '') : '');
  // Of a latent finding, which has no append yet, the slice with the room.
  const title = (f) => shortFunction(f.site.function) || f.append.operand || '?';
  const sentence = (f) => f.words.sentence;
  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  // --- the list ---

  const ROW = 84, SPARE_ROWS = 6;
  const findings = Array.isArray(report.findings) ? report.findings : [];
  const levels = ['proved', 'confirmed', 'likely', 'suspect', 'latent'].filter((l) => findings.some((f) => f.level === l));
  const asked = { words: [], levels: new Set(levels) };
  let shown = findings.map((_, i) => i);
  let chosen = -1;  // index into findings
  const haystacks = [];
  const rows = $('rows');
  const canvas = rows.appendChild(el('div'));
  canvas.setAttribute('role', 'presentation');

  function haystack(i) {
    const f = findings[i];
    haystacks[i] ??= [f.level, f.rule, f.fingerprint, f.site.function, f.site.file, f.site.source, f.victim.name, f.victim.type,
      f.element.before, f.element.after, f.array.type, ...f.reads.map((r) => r.function), ...(f.stacks ?? []).flatMap((s) => s.frames.map((r) => r.function))].join('\n').toLowerCase();
    return haystacks[i];
  }

  function makeRow(position) {
    const index = shown[position];
    const f = findings[index];
    const row = el('div.row',
      el('div.head', el('span.level.' + f.level, f.level), el('span.mono', el('bdi', title(f))), el('span.place', '#' + f.id)),
      el('div.place', place(f.site) || (f.level === 'latent' ? 'no append yet' : 'place not known'), f.count > 1 ? ' · seen ' + f.count + 'x' : ''),
      el('div.place', !hasVictim(f.victim) ? '' : el('bdi', 'victim: ' + (f.victim.name ?? f.victim.type ?? 'a slice'))));
    row.id = 'row-' + index;
    row.style.top = position * ROW + 'px';
    row.setAttribute('role', 'option');
    row.setAttribute('aria-selected', String(index === chosen));
    row.setAttribute('aria-posinset', position + 1);
    row.setAttribute('aria-setsize', shown.length);
    row.addEventListener('click', () => { choose(index); openDetail(); });
    return row;
  }

  function drawRows() {
    const first = Math.max(0, Math.floor(rows.scrollTop / ROW) - SPARE_ROWS);
    const last = Math.min(shown.length, Math.ceil((rows.scrollTop + rows.clientHeight) / ROW) + SPARE_ROWS);
    canvas.style.height = shown.length * ROW + 'px';
    const drawn = [];
    for (let i = first; i < last; i++) drawn.push(makeRow(i));
    if (shown.length === 0) {
      const nothing = el('div.empty', findings.length ? 'No finding matches.' : 'Nothing was found.');
      nothing.setAttribute('role', 'option');
      nothing.setAttribute('aria-disabled', 'true');
      nothing.setAttribute('aria-selected', 'false');
      drawn.push(nothing);
    }
    canvas.replaceChildren(...drawn);
    if (document.getElementById('row-' + chosen)) rows.setAttribute('aria-activedescendant', 'row-' + chosen);
    else rows.removeAttribute('aria-activedescendant');
  }

  function filter() {
    shown = [];
    for (let i = 0; i < findings.length; i++) {
      if (asked.levels.has(findings[i].level) && asked.words.every((w) => haystack(i).includes(w))) shown.push(i);
    }
    $('count').textContent = shown.length === findings.length ? findings.length + (findings.length === 1 ? ' finding' : ' findings')
      : shown.length + ' of ' + findings.length + ' findings';
    rows.scrollTop = 0;
    drawRows();
    choose(shown.includes(chosen) ? chosen : shown[0] ?? -1);
  }

  function choose(index) {
    if (index !== chosen || !$('detail').firstChild) {
      chosen = index;
      drawDetail();
      if (index >= 0) history.replaceState(null, '', '#' + findings[index].id);
    }
    const position = shown.indexOf(index);
    if (position >= 0) {
      if (position * ROW < rows.scrollTop) rows.scrollTop = position * ROW;
      if ((position + 1) * ROW > rows.scrollTop + rows.clientHeight) rows.scrollTop = (position + 1) * ROW - rows.clientHeight;
    }
    drawRows();
  }

  // --- one finding ---

  function frameItem(frame) {
    const name = el('bdi.mono', shortFunction(frame.function));
    name.title = visible(frame.function);
    return el('li', name, frame.inlined ? el('span.place', ' inlined') : null, el('div.place', el('bdi', place(frame))),
      frame.source ? el('pre.wraps', frame.source) : null);
  }
  const ENDS = new Set(['runtime.main', 'runtime.goexit']);  // every goroutine's; they tell nothing
  function stackList(frames) {
    return el('ol', ...frames.filter((f, i) => i === 0 || !ENDS.has(f.function)).map(frameItem));
  }
  const byGoroutine = (what, goroutine) => what + (goroutine ? ' by goroutine ' + goroutine : '');

  function facts(pairs) {
    const list = el('dl.facts');
    for (const [name, value] of pairs) {
      if (value !== null && value !== undefined && value !== '') list.append(el('dt', name), el('dd', el('bdi', value)));
    }
    return list;
  }

  const hasVictim = (v) => v.len || v.address || v.name || v.type;

  function victimPane(f) {
    const v = f.victim;
    const pane = el('div', el('h3', 'The victim'), facts([
      ['name', v.name], ['type', v.type], ['held in', v.holder], ['function', v.function && shortFunction(v.function)],
      ['place', place(v)], ['len', v.len || 'not known'], ['cap', v.cap], ['header at', v.address]]));
    if (v.made_by.length) {
      pane.append(el('div.made', el('h3', 'made by' + (v.made_by_note ? ' (' + v.made_by_note + ')' : '')), stackList(v.made_by)));
    }
    return pane;
  }

  // Of a finding between goroutines: what each of them did, and the map.
  function sides(f) {
    const panes = el('div.stacks');
    for (const s of f.stacks) {
      const pane = el('div', el('h3', capital(s.role) + (s.goroutine ? ': goroutine ' + s.goroutine : '')), stackList(s.frames));
      if (s.made_at.length) {
        pane.append(el('div.made', el('h3', 'made' + (s.made_by_goroutine ? ' by goroutine ' + s.made_by_goroutine : '')), stackList(s.made_at)));
      }
      panes.append(pane);
    }
    panes.append(el('div', el('h3', 'The map'), facts([
      ['name', f.victim.name], ['type', f.victim.type], ['at', f.victim.address], ['the program ended with', f.ended_with]])));
    return el('section', panes);
  }

  function stacks(f) {
    if (f.stacks && f.stacks.length) return sides(f);
    const panes = el('div.stacks', el('div', el('h3', byGoroutine(capital(f.words.stack), f.goroutine)), stackList(f.stack)));
    if (!hasVictim(f.victim)) return el('section', panes);  // an experiment found it
    panes.append(victimPane(f), el('div', el('h3', byGoroutine(capital(f.words.reads), f.reads_goroutine)),
      f.reads.length ? stackList(f.reads) : el('p.place', f.words.not_read)));
    return el('section', panes);
  }

  function values(f) {
    const e = f.element;
    const before = e.before ?? e.before_hex, after = e.after ?? e.after_hex;
    if (before === null && after === null) return null;
    const box = (title, text) => el('div.' + title, el('h3', title), el('code', el('bdi', text ?? 'not known')));
    return el('section', el('div.values', box('before', before), box('after', after)));
  }

  // Which indices get a column: all when few; else the changed one, its neighbours and the ends of the views.
  function columnsOf(views, changed) {
    const MANY = 20;
    const begin = Math.min(...views.map((v) => v.first)), end = Math.max(...views.map((v) => v.first + Math.max(v.len, v.cap ?? 0)));
    const keep = new Set();
    const add = (i) => { if (i >= begin && i < end) keep.add(i); };
    if (end - begin <= MANY) {
      for (let i = begin; i < end; i++) add(i);
    } else {
      if (changed !== null) for (let d = -3; d <= 3; d++) add(changed + d);
      for (const v of views) for (const i of [v.first, v.first + 1, v.first + v.len - 1, v.first + v.len]) add(i);
    }
    const columns = [];
    let next = begin;
    for (const i of [...keep].sort((a, b) => a - b)) {
      if (i > next) columns.push({ from: next, to: i, gap: true });
      columns.push({ from: i, to: i + 1, gap: false });
      next = i + 1;
    }
    if (next < end) columns.push({ from: next, to: end, gap: true });
    return columns;
  }

  function drawing(f) {
    const views = f.drawing;
    if (!views.length) return null;
    const changed = views.length > 1 ? views[1].first + f.element.index : null;  // [1] is the victim
    const columns = columnsOf(views, changed);
    const clip = (text) => (text.length > 22 ? text.slice(0, 21) + '…' : text);
    const labels = views.map((v) => clip(visible(v.label)));
    const GAP = 24, LINE = 40, HEAD = 8, LABEL = 16 + 8 * Math.max(...labels.map((l) => l.length));
    const cell = Math.max(34, 16 + 8 * String(Math.max(...columns.map((c) => c.to))).length);
    const width = LABEL + columns.reduce((sum, c) => sum + (c.gap ? GAP : cell), 0) + 130;
    const picture = svg('svg', { width, height: HEAD + views.length * LINE, viewBox: `0 0 ${width} ${HEAD + views.length * LINE}`, role: 'img',
      'aria-label': views.map((v) => `${visible(v.label)}: elements ${v.first} to ${v.first + v.len - 1}`).join('; ') + (changed === null ? '' : `; element ${changed} was overwritten`) });
    views.forEach((view, row) => {
      const y = HEAD + row * LINE;
      picture.append(svg('text', { x: 4, y: y + 20 }, labels[row]));
      let x = LABEL;
      for (const c of columns) {
        const covered = c.from < view.first + view.len && c.to > view.first;
        const spare = !covered && view.cap !== null && c.from >= view.first && c.from < view.first + view.cap;
        if (c.gap) {
          if (covered || spare) picture.append(svg('text', { x: x + GAP / 2, y: y + 20, 'text-anchor': 'middle', class: 'quiet' }, '…'));
        } else if (covered || spare) {
          const kind = covered ? (c.from === changed ? 'changed' : 'held') : 'spare';
          picture.append(svg('rect', { x: x + 1, y: y + 2, width: cell - 2, height: 28, rx: 4, class: kind }));
          if (covered) picture.append(svg('text', { x: x + cell / 2, y: y + 21, 'text-anchor': 'middle', class: kind }, c.from));
        }
        x += c.gap ? GAP : cell;
      }
      picture.append(svg('text', { x: x + 14, y: y + 20, class: 'quiet' }, `len ${view.len}` + (view.cap === null ? '' : ` cap ${view.cap}`)));
    });
    const scroller = el('div.drawing', picture);
    scroller.tabIndex = 0;
    scroller.setAttribute('role', 'group');
    scroller.setAttribute('aria-label', 'The backing array, drawn');
    const size = f.array.capacity && f.array.element_size ? `, ${f.array.capacity} × ${f.array.element_size} bytes` : '';
    return el('section', el('h3', 'Backing array ' + (f.array.address ?? '') + size), scroller);
  }

  function diffLines(text) {
    const lines = text.replace(/\n$/, '').split('\n').map((line) => {
      const kind = /^(\+\+\+|---|@@)/.test(line) ? 'span' : line[0] === '+' ? 'span.ins' : line[0] === '-' ? 'span.del' : 'span';
      return el(kind, line);
    });
    const block = el('pre.diff', ...lines);
    block.tabIndex = 0;
    return block;
  }

  function cure(f) {
    const section = el('section', el('h3', 'Fix'));
    if (f.fix_diff) section.append(diffLines(f.fix_diff));
    else if (f.fix) section.append(el('pre.wraps', f.fix));
    else if (!f.fix_elsewhere) return null;
    if (f.fix_elsewhere) section.append(el('pre.wraps', (f.fix ? 'or ' : '') + f.fix_elsewhere));
    return section;
  }

  const shellWord = (word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

  // Go is not what has the append of a test, and its test binaries come and go.
  function heal(name) {
    if (!name) return null;
    const words = report.target?.command ?? [];
    const command = words[0] === 'go' && words[1] === 'test' ? 'PROGRAM' : words.map(shellWord).join(' ');
    return el('section', el('h3', 'Heal, without a rebuild'), el('pre.wraps', `geist heal --site '${name}' -- ${command}`));
  }

  function repeat(f) {
    if (!f.repeat) return null;
    return el('section', el('h3', f.condition ? 'Sleeps: seen under ' + f.condition + ' only' : 'See it again'), el('pre.wraps', f.repeat));
  }

  const times = (n) => n === 1 ? 'once' : n + ' times';

  function proof(p) {
    if (!p) return null;
    const section = el('section', el('h3', 'Proof'), el('p', p.sentence));
    if (p.diff?.length) section.append(diffLines(p.diff.join('\n')));
    return section;
  }

  // What was found by halving, when nothing is known of a victim.
  function bisection() {
    const b = report.bisection;
    if (!b) return null;
    const one = b.sites.length === 1;
    const parts = b.sites.flatMap((s) => [el('p', `append in ${shortFunction(s.function)} (${place(s)}), healed ${times(s.healed)}`),
      s.source ? el('pre.wraps', s.source) : null, heal(s.heal)]);
    return el('div', el('h2', `healing ${one ? 'one append' : b.sites.length + ' appends'} makes the output right`), ...parts.filter(Boolean),
      proof(b.proof) ?? '', el('p', `found in ${b.runs} runs among ${b.candidates} appends that overwrote something`));
  }

  function drawDetail() {
    const detail = $('detail');
    const f = findings[chosen];
    if (!f) {
      const halved = findings.length ? null : bisection();
      detail.replaceChildren(halved ?? el('p.empty', findings.length ? 'No finding matches.' : 'Nothing was found.'));
      return;
    }
    const back = el('button.back', '← All findings');
    back.type = 'button';
    back.addEventListener('click', closeDetail);
    const rest = [back, el('div.meta', el('span.level.' + f.level, f.level), el('span', '#' + f.id), el('span', f.rule), el('span', `seen ${f.count}x`),
      el('span.mono', f.fingerprint)), el('h2', el('bdi', sentence(f))),
      ...(f.tests ?? []).map((test) => el('p', 'in test ', el('bdi', test))), f.site.source ? el('pre.wraps', f.site.source) : null,
      values(f), drawing(f), stacks(f), cure(f), heal(f.heal), repeat(f), proof(f.proof)];
    detail.replaceChildren(...rest.filter(Boolean));
    detail.scrollTop = 0;
  }

  function openDetail() {
    document.body.dataset.view = 'detail';
    $('detail').focus({ preventScroll: true });
  }
  function closeDetail() {
    document.body.dataset.view = 'list';
    drawRows();
    rows.focus({ preventScroll: true });
  }

  // --- the run, keys, theme ---

  function drawRun() {
    const lost = Object.entries(report.lost ?? {}).filter(([, n]) => n > 0).map(([name, n]) => `${n} ${name.replaceAll('_', ' ')} (${report.lost_severity?.[name] ?? 'loss'})`);
    const exit = report.exit?.signal ? 'ended by ' + report.exit.signal : 'exit status ' + report.exit?.code;
    const parts = [(target.command ?? []).join(' '), target.module, target.go, exit, `${report.sites?.probed} append sites probed`, lost.length ? 'lost: ' + lost.join(', ') : '', 'geist ' + report.geist];
    $('run').append(el('p', el('bdi', parts.filter(Boolean).join(' · '))));
    if (report.notes?.length) $('run').append(el('ul', ...report.notes.map((n) => el('li', n))));
    if (report.notes?.length > 2) $('run').tabIndex = 0;
    document.querySelector('footer').setAttribute('role', 'contentinfo');
  }

  function setTheme(theme) {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    $('theme').textContent = 'Theme: ' + theme;
  }
  let theme = 'auto';
  const nextTheme = () => setTheme(theme = { auto: 'dark', dark: 'light', light: 'auto' }[theme]);
  function toggleKeys() {
    const open = $('key-help').hidden;
    $('key-help').hidden = !open;
    $('keys').setAttribute('aria-expanded', String(open));
    drawRows();
  }

  function step(by) {
    if (!shown.length) return;
    const at = shown.indexOf(chosen);
    choose(shown[Math.min(shown.length - 1, Math.max(0, at + by))]);
  }

  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const inText = event.target === $('search');
    const inRows = event.target === rows || event.target === document.body;
    if (event.key === 'Escape') {
      if (inText && $('search').value === '') rows.focus();
      else if (!inText) closeDetail();
      return;
    }
    if (inText) {
      if (event.key === 'ArrowDown' || event.key === 'Enter') { rows.focus(); event.preventDefault(); }
      return;
    }
    const page = Math.max(1, Math.floor(rows.clientHeight / ROW) - 1);
    const always = { j: () => step(1), k: () => step(-1), '/': () => { closeDetail(); $('search').focus(); }, t: nextTheme, '?': toggleKeys };
    const moving = { ArrowDown: () => step(1), ArrowUp: () => step(-1), PageDown: () => step(page), PageUp: () => step(-page),
      Home: () => step(-shown.length), End: () => step(shown.length), Enter: openDetail };
    const act = always[event.key] ?? (inRows ? moving[event.key] : undefined);
    if (act) { act(); event.preventDefault(); }
  }

  for (const level of levels) {
    const box = el('input');
    box.type = 'checkbox';
    box.checked = true;
    box.addEventListener('change', () => { box.checked ? asked.levels.add(level) : asked.levels.delete(level); filter(); });
    $('levels').append(el('label', box, `${level} (${findings.filter((f) => f.level === level).length})`));
  }
  $('search').addEventListener('input', () => { asked.words = $('search').value.toLowerCase().split(/\s+/).filter(Boolean); filter(); });
  $('theme').addEventListener('click', nextTheme);
  $('keys').addEventListener('click', toggleKeys);
  rows.addEventListener('scroll', drawRows, { passive: true });
  window.addEventListener('resize', drawRows);
  document.addEventListener('keydown', onKey);
  drawRun();
  const wanted = findings.findIndex((f) => '#' + f.id === location.hash);
  filter();
  if (wanted >= 0) { choose(wanted); openDetail(); }
  document.documentElement.dataset.ready = 'true';
})();
