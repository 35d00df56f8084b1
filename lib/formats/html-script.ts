/** How often somebody who follows hears something, in milliseconds: proxies cut connections that are silent for a minute. */
export const beatEvery = 15_000

/** After how long without a word the page takes its connection for lost. */
const silence = 3 * beatEvery

/**
 * Keeps a page fresh: follows it as long as it is seen, and loads it again every `data-refresh` seconds while it is hidden, cannot be
 * followed or is not answered. Changes only what is new, in its place: focus, selection and scroll position stay.
 *
 * A browser has no more than six connections to a service that speaks HTTP/1.1, so a hidden page gives up its own.
 */
export const liveScript = `
'use strict';
(() => {
  const { refresh, live, release } = document.body.dataset;
  const every = refresh * 1000;
  const find = (selector) => document.querySelector(selector);
  const textOf = (selector) => find(selector)?.textContent;
  const keyOf = (node) => node.dataset?.k;
  const heading = textOf('h1');
  let source, timer, watch, heard, skew = 0, turn = 0;

  const morph = (present, next) => {
    if (present.nodeType === 3) {
      if (present.data !== next.data) present.data = next.data;
      return;
    }
    for (const { name } of [...present.attributes]) {
      if (name !== 'data-ago' && !next.hasAttribute(name)) present.removeAttribute(name);
    }
    for (const { name, value } of next.attributes) {
      if (present.getAttribute(name) !== value) present.setAttribute(name, value);
    }
    const keyed = [...next.children].some(keyOf);
    const after = (node) => keyed ? node.nextElementSibling : node.nextSibling;
    const byKey = new Map([...present.children].filter(keyOf).map((node) => [keyOf(node), node]));
    let at = keyed ? present.firstElementChild : present.firstChild;
    const nodes = keyed ? [...next.children] : [...next.childNodes];
    for (const [index, node] of nodes.entries()) {
      const key = keyOf(node);
      const match = key === undefined ? at : byKey.get(key);
      if (match?.nodeName !== node.nodeName || keyOf(match) !== key) {
        present.insertBefore(node, at);
        continue;
      }
      // What goes down by more than a place makes way, so that the others stay where they are.
      if (at && match !== at && match === after(at) && (!nodes[index + 1] || keyOf(nodes[index + 1]) !== keyOf(at))) {
        at.remove();
        at = match;
      }
      if (match === at) at = after(at);
      else present.insertBefore(match, at);
      morph(match, node);
    }
    while (at) {
      const gone = at;
      at = after(at);
      gone.remove();
    }
  };

  const units = [[172800, ' d', 86400], [3600, ' h', 3600], [60, ' min', 60], [0, ' s', 1]];
  const ages = () => {
    for (const time of document.querySelectorAll('time')) {
      const seconds = Math.round((Date.now() + skew - Date.parse(time.dateTime)) / 1000);
      const size = Math.abs(seconds);
      const [, letters, unit] = units.find(([least]) => size >= least);
      const length = Math.round(size / unit) + letters;
      const ago = seconds >= 0 ? length + ' ago' : 'in ' + length;
      if (time.dataset.ago !== ago) time.dataset.ago = ago;
    }
  };

  const say = (sentences) => {
    if (sentences.length > 0) find('.said').textContent = sentences.join('. ');
  };
  const known = () => ({
    overall: textOf('.overall > p'),
    service: textOf('.service strong'),
    changes: [...document.querySelectorAll('.changes li')].map((item) => [item.textContent, item.querySelector('.what').textContent])
  });

  const apply = (elements) => {
    const before = known();
    const present = new Map([...document.querySelectorAll('[data-k]')].map((node) => [keyOf(node), node]));
    for (const element of elements) {
      const last = element && present.get(keyOf(element));
      if (!last) throw new Error('not this page');
      morph(last, element);
    }
    const fresh = known();
    const changes = fresh.changes.filter(([item]) => !before.changes.some(([last]) => last === item)).map(([, what]) => what);
    say([
      ...fresh.overall === before.overall ? [] : [fresh.overall],
      ...fresh.service === before.service ? [] : [fresh.service],
      ...changes.slice(0, 3).reverse(),
      ...changes.length > 3 ? ['and ' + (changes.length - 3) + ' more'] : []
    ]);
    document.title = textOf('.overall strong') + ' \\u00b7 ' + heading;
    const ahead = Date.parse(find('.taken time').dateTime) - Date.now();
    skew = Math.abs(ahead) > 60000 ? ahead : 0;
    ages();
  };
  const parse = (html) => new DOMParser().parseFromString(html, 'text/html');
  const mode = (name, text) => {
    const link = find('.link');
    link.className = 'link ' + name;
    if (link.textContent !== text) link.textContent = text;
  };

  const lost = () => {
    mode('lost', 'Connection lost');
    const overall = find('.overall');
    if (overall.classList.contains('lost')) return;
    const at = find('.taken time');
    const now = at.cloneNode();
    now.dateTime = new Date(Date.now() + skew).toISOString();
    now.textContent = now.dateTime.slice(0, 19).replace('T', ' ') + ' UTC';
    const line = document.createElement('p');
    line.append('Connection lost at ', now, '. The service does not answer any more: this is what it said at ', at.cloneNode(true), '.');
    overall.className = 'overall lost';
    overall.replaceChildren(line);
    find('main').className = 'old';
    document.title = '? \\u00b7 ' + heading;
    say([line.textContent]);
    ages();
  };

  const leave = () => {
    turn++;
    source?.close();
    source = undefined;
    clearTimeout(timer);
    clearTimeout(watch);
  };
  const later = (wait) => { timer = setTimeout(follow, wait * (0.75 + Math.random() / 2)); };

  const again = async () => {
    leave();
    const mine = turn;
    try {
      const reply = await fetch(location.href, { headers: { accept: 'text/html' }, cache: 'no-store', signal: AbortSignal.timeout(Math.max(every, 10000)) });
      const page = parse(await reply.text());
      if (mine !== turn) return;
      const main = page.querySelector('main');
      if (main && page.body.dataset.release !== release) return location.reload();
      apply([main]);
      mode('asks', 'Asks every ' + refresh + ' s');
      later(heard ? 1000 : every);
    } catch {
      if (mine !== turn) return;
      lost();
      later(Math.min(every, 3000));
    }
    heard = false;
  };

  const follow = () => {
    leave();
    if (!live || document.hidden) return again();
    source = new EventSource(live);
    const pulse = () => {
      clearTimeout(watch);
      watch = setTimeout(again, ${silence});
    };
    pulse();
    source.addEventListener('beat', pulse);
    source.onerror = again;
    source.onmessage = ({ data }) => {
      heard = true;
      pulse();
      try {
        const page = parse(JSON.parse(data).map((html) => '\\x3ctemplate>' + html + '\\x3c/template>').join(''));
        apply([...page.querySelectorAll('template')].map(({ content }) => content.firstElementChild));
        mode('live', 'Live');
      } catch {
        again();
      }
    };
  };

  document.addEventListener('visibilitychange', () => {
    leave();
    if (document.hidden) later(every);
    else follow();
  });
  setInterval(ages, 10000);
  ages();
  if (live && !document.hidden) follow();
  else later(every);
})();
`
