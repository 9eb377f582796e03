// Runs behind the script of a report's page, in the page: asks what a person, a keyboard and a screen reader would, and
// leaves the answers in an element of its own for tests/page.
'use strict';
(() => {
  const wrong = [];
  const ask = (holds, what) => { if (!holds) wrong.push(what); };
  const $ = (id) => document.getElementById(id);
  const press = (key, at = document.activeElement ?? document.body) => at.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));

  // WCAG 2.1, "relative luminance" and "contrast ratio".
  const rgb = (text) => { const n = text.match(/[\d.]+/g).map(Number); return { c: n.slice(0, 3), a: n[3] ?? 1 }; };
  const luminance = (c) => c.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  function ground(node) {
    for (; node; node = node.parentElement) { const b = rgb(getComputedStyle(node).backgroundColor); if (b.a > 0.99) return b.c; }
    return [255, 255, 255];
  }
  function checkContrast(theme) {
    for (const node of document.querySelectorAll('body *')) {
      const says = [...node.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
      if (!says || !node.checkVisibility() || node.closest('script, .hidden, #probe')) continue;
      const style = getComputedStyle(node);
      const [a, b] = [luminance(rgb(node instanceof SVGElement ? style.fill : style.color).c), luminance(ground(node))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      ask(ratio >= 4.5, `${theme}: contrast ${ratio.toFixed(2)} of <${node.tagName} class="${node.getAttribute('class') ?? ''}">`);
    }
  }
  function checkNames() {
    for (const node of document.querySelectorAll('button, input, [role="listbox"], [role="img"], [role="group"], article')) {
      const name = node.getAttribute('aria-label') || node.labels?.[0]?.textContent || node.textContent;
      ask(name.trim(), `<${node.tagName} id="${node.id}"> has no name`);
    }
    const active = $('rows').getAttribute('aria-activedescendant');
    ask(active && $(active)?.getAttribute('role') === 'option', 'the list does not say which row is chosen');
    ask(new Set([...document.querySelectorAll('[id]')].map((n) => n.id)).size === document.querySelectorAll('[id]').length, 'an id is there twice');
  }
  const chosen = () => document.querySelector('.row[aria-selected="true"]')?.getAttribute('aria-posinset');

  const report = JSON.parse($('report').textContent);
  ask(document.documentElement.dataset.ready === 'true', 'the script of the page did not come to its end');
  ask(window.owned === undefined && !document.querySelector('img, iframe, object, [onerror]'), 'a value became markup');
  ask(performance.getEntriesByType('resource').length === 0, 'the page loads something');
  ask(document.documentElement.scrollWidth <= innerWidth, `the page is wider than its window: ${document.documentElement.scrollWidth} of ${innerWidth}`);
  ask(document.querySelectorAll('.row').length <= 40, 'rows out of sight are drawn');
  checkNames();
  $('rows').focus();
  press('End');
  ask(chosen() === String(report.findings.length), 'End does not go to the last finding');
  press('Home');
  press('j');
  ask(chosen() === String(Math.min(2, report.findings.length)), 'j does not go to the next finding');
  press('k');
  ask(chosen() === '1', 'k does not go back');
  press('Enter');
  ask(document.activeElement === $('detail'), 'Enter does not go to the finding');
  checkContrast('auto');
  for (const theme of ['dark', 'light']) { $('theme').click(); checkContrast(theme); }
  press('Escape');
  ask(document.activeElement === $('rows'), 'Escape does not go back to the list');
  press('/');
  ask(document.activeElement === $('search'), '/ does not go to the search');
  $('search').value = 'no such thing as this';
  $('search').dispatchEvent(new Event('input'));
  ask($('count').textContent.startsWith('0 of ') && document.querySelectorAll('.row').length === 0, 'the search does not filter');
  $('search').value = '';
  $('search').dispatchEvent(new Event('input'));
  ask($('count').textContent === `${report.findings.length} finding${report.findings.length === 1 ? '' : 's'}`, 'an empty search does not show all');
  const probe = document.createElement('pre');
  probe.id = 'probe';
  probe.textContent = JSON.stringify({ wrong, width: innerWidth, text: $('detail').textContent });
  document.body.append(probe);
})();
