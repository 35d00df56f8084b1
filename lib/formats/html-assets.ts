/** Colours have a contrast of 4.5 or more on their ground in both schemes: https://www.w3.org/TR/WCAG22/#contrast-minimum */
export const styles = `
:root{color-scheme:light dark;--ground:#fff;--text:#1c1e21;--quiet:#5b616b;--line:#dfe3e8;--ok:#1a7f37;--yellow:#8a5a00;--red:#c21e2b;--on:#fff;--link:#0b57d0}
@media (prefers-color-scheme:dark){:root{--ground:#14171a;--text:#e6e8eb;--quiet:#a3abb5;--line:#30363d;--ok:#4ac26b;--yellow:#e3b341;--red:#ff7b72;--on:#14171a;--link:#7ab7ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:1.5rem 1rem;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0 0 1rem}
.overall{margin:0 0 1rem;padding:.75rem 1rem;border-radius:.5rem;color:var(--on)}
.overall.OK{background:var(--ok)}.overall.YELLOW{background:var(--yellow)}.overall.RED{background:var(--red)}.overall.lost{background:var(--quiet)}
.overall strong{margin-right:.5rem}
.decommissioned{margin:0 0 1rem;padding:.75rem 1rem;border:1px solid var(--yellow);border-radius:.5rem}
table{width:100%;border-collapse:collapse}
caption{text-align:left;color:var(--quiet);padding-bottom:.5rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
thead th{color:var(--quiet);font-weight:400}
tbody th{font-weight:600;min-width:12rem}
small{display:block;color:var(--quiet);font-weight:400}
td:nth-child(1),td:nth-child(4){white-space:nowrap}
.state{display:inline-block;min-width:6rem;padding:0 .5rem;border-radius:1rem;text-align:center;font-weight:600;border:1px solid}
.OK .state{color:var(--ok)}.YELLOW .state{color:var(--yellow)}.RED .state{color:var(--on);background:var(--red);border-color:var(--red)}
.taken,footer{color:var(--quiet)}
a{color:var(--link);margin-right:1rem}
@media (max-width:40rem){thead{position:absolute;clip-path:inset(50%)}tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}th,td{display:block;padding:.125rem 0;border:0}td:empty{display:none}td:nth-child(4)::before{content:'since '}}
`

/** Changes only what is new, in its place: focus stays, and a screen reader hears of another overall state once. */
export const refreshScript = `
'use strict';
(() => {
  const every = Number(document.body.dataset.refresh) * 1000;
  const parts = ['.overall', '.decommissioned', 'table', '.taken'];
  const again = async () => {
    try {
      const reply = await fetch(location.href, { headers: { accept: 'text/html' }, cache: 'no-store', signal: AbortSignal.timeout(Math.max(every, 10000)) });
      const page = new DOMParser().parseFromString(await reply.text(), 'text/html');
      const fresh = page.querySelector('main');
      const present = document.querySelector('main');
      if (!fresh) throw new Error('no status page');
      if (parts.some((part) => !fresh.querySelector(part) !== !present.querySelector(part))) {
        present.replaceWith(fresh);
      } else {
        for (const part of parts) {
          const next = fresh.querySelector(part);
          const last = present.querySelector(part);
          if (next && next.outerHTML !== last.outerHTML) {
            last.className = next.className;
            last.replaceChildren(...next.childNodes);
          }
        }
      }
    } catch {
      const overall = document.querySelector('.overall');
      if (!overall.classList.contains('lost')) {
        overall.className = 'overall lost';
        overall.textContent = 'The service does not answer any more: this is what it said last.';
      }
    }
    setTimeout(again, every);
  };
  setTimeout(again, every);
})();
`
