/**
 * Colours have a contrast of 4.5 or more on their ground in both schemes: https://www.w3.org/TR/WCAG22/#contrast-minimum
 * States have green, amber and red, and their words; what operators decided has violet, and never one of those.
 */
export const styles = `
:root{color-scheme:light dark;--ground:#f6f7f9;--card:#fff;--text:#1c1e21;--quiet:#5b616b;--line:#dfe3e8;--ok:#1a7f37;--yellow:#8a5a00;--red:#c21e2b;--admin:#6639ba;--on:#fff;--link:#0b57d0}
@media (prefers-color-scheme:dark){:root{--ground:#0f1215;--card:#171b20;--text:#e6e8eb;--quiet:#a3abb5;--line:#30363d;--ok:#4ac26b;--yellow:#e3b341;--red:#ff7b72;--admin:#b99cf5;--on:#14171a;--link:#7ab7ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:68rem;padding:1.5rem 1rem 3rem;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1,h2,p,ol,ul,dl,dd{margin:0;padding:0}
h1{font-size:1.5rem;line-height:1.25;margin-right:auto}
h2{display:inline;font-size:1.125rem}
a{color:var(--link)}
a:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:.25rem}
#handlers:focus{outline:none}
small{display:block;color:var(--quiet);font-weight:400}
.skip{position:absolute;left:1rem;top:0;padding:.5rem 1rem;background:var(--card);z-index:1}
.skip:not(:focus){clip-path:inset(50%);height:1px;width:1px;padding:0;overflow:hidden}
.said{position:absolute;clip-path:inset(50%);height:1px;width:1px;overflow:hidden}
header{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;align-items:baseline;margin-bottom:1rem}
.formats a{display:inline-block;padding:.25rem 0}.formats a+a{margin-left:.75rem}
.link{color:var(--quiet)}
.link:not(:empty)::before{content:'';display:inline-block;width:.625rem;height:.625rem;margin-right:.5rem;border:2px solid;border-radius:50%}
.link.live::before{background:var(--ok);border-color:var(--ok)}
.link.lost{color:var(--red);font-weight:600}
.now{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:1rem;margin-bottom:1rem}
.overall,.service,.changes,table{background:var(--card);border:1px solid var(--line);border-radius:.75rem}
.overall,.service,.changes{padding:.875rem 1.125rem}
.now .label{display:block;font-size:.875rem;font-weight:400}
.now strong{font-size:1.375rem;line-height:1.4;margin-right:.5rem}
.overall{color:var(--on)}
.overall.OK{background:var(--ok);border-color:var(--ok)}.overall.YELLOW{background:var(--yellow);border-color:var(--yellow)}.overall.RED{background:var(--red);border-color:var(--red)}
.overall.lost{background:var(--quiet);border-color:var(--quiet)}
.service .label{color:var(--quiet)}
.service.out{border:2px dashed var(--admin)}
.service.out strong{color:var(--admin)}
dl div{display:flex;gap:.5rem}
dl{margin-top:.25rem}
dt{color:var(--quiet);flex:0 0 4.5rem}
.changes{margin-bottom:1rem}
ol{list-style:none;margin-top:.25rem}
.word{font-weight:600}
.OK .word{color:var(--ok)}.YELLOW .word{color:var(--yellow)}.RED .word{color:var(--red)}
.changes li{display:flex;flex-wrap:wrap;gap:0 1rem;padding:.25rem 0}
.changes time{color:var(--quiet);margin-left:auto}
.changes small{flex:1 0 100%}
.changes small{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden}
.groups ul{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;margin-bottom:1rem}
.groups a{display:block;padding:.25rem .75rem;border:1px solid var(--line);border-radius:1rem;background:var(--card);color:var(--text);text-decoration:none}
.groups a:hover{text-decoration:underline}
.groups .word{margin-left:.25rem}
table{width:100%;border-spacing:0;table-layout:fixed;margin-bottom:1.5rem}
caption{text-align:left;padding:.25rem .25rem .5rem}
caption span{color:var(--quiet)}
th,td{text-align:left;vertical-align:top;padding:.625rem .75rem;border-top:1px solid var(--line)}
thead th{color:var(--quiet);font-weight:400;border:0;padding-bottom:.375rem}
tbody th{font-weight:600}
thead th:nth-child(1){width:8rem}thead th:nth-child(2){width:30%}thead th:nth-child(4){width:14rem}
td:nth-child(4){color:var(--quiet);font-size:.875rem;line-height:1.6}
time{font-variant-numeric:tabular-nums}
time[data-ago]::after{content:' (' attr(data-ago) ')'}
td time[data-ago]::after{display:block;content:attr(data-ago)}
.state{display:inline-block;min-width:6rem;padding:0 .5rem;border-radius:1rem;text-align:center;font-weight:600;border:2px solid}
.OK .state{color:var(--ok)}.YELLOW .state{color:var(--on);background:var(--yellow);border-color:var(--yellow)}.RED .state{color:var(--on);background:var(--red);border-color:var(--red)}
.old .state{color:var(--quiet);background:none;border:2px dashed var(--quiet)}
.old .word,.old .service strong{color:var(--quiet)}.old .service.out{border-color:var(--quiet)}
.taken{color:var(--quiet)}
@media (max-width:44rem){
thead{position:absolute;clip-path:inset(50%)}
tr{display:block;padding:.75rem;border-top:1px solid var(--line)}
tbody tr:first-child{border:0}
th,td{display:block;padding:.125rem 0;border:0}
td:empty{display:none}
td:nth-child(4)::before{content:'since '}
td time[data-ago]::after{display:inline;content:' (' attr(data-ago) ')'}
.changes time{margin-left:0}
}
@media (forced-colors:active){.state,.overall,.service{border:2px solid}}
`
