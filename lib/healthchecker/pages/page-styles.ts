/** What the pages of the healthchecker need beside the styles of every page. */
export const pageStyles = `
.trouble{border:2px solid var(--red);border-radius:.75rem;background:var(--card);padding:.875rem 1.125rem;margin-bottom:1rem}
.trouble strong{color:var(--red)}
.trouble ul{list-style:none}
form{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end;margin-bottom:1rem}
label{display:block;color:var(--quiet);font-size:.875rem}
input,select,button{font:inherit;color:var(--text);background:var(--card);border:1px solid var(--quiet);border-radius:.5rem;padding:.375rem .625rem;min-width:0;max-width:100%}
select{height:2.375rem}
button{cursor:pointer;font-weight:600}
button:hover{border-color:var(--link);color:var(--link)}
input:focus-visible,select:focus-visible,button:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.said-here{margin-bottom:1rem;color:var(--red);font-weight:600}
.back{margin-bottom:.5rem}
.tag{display:inline-block;color:var(--quiet);font-size:.875rem;font-weight:400;margin-right:.625rem}
.where{display:block;color:var(--quiet);font-size:.875rem;font-weight:400}
.pages{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;align-items:baseline;margin-bottom:1rem}
.pages span{color:var(--quiet)}
.card{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:.875rem 1.125rem;margin-bottom:1rem}
.card h2{display:block;margin-bottom:.25rem}
.card dt{flex:0 0 9rem}
.now .card{margin:0}
.overall a{color:inherit}
.overall-paused{background:var(--card);color:var(--text);border:2px dashed var(--admin)}
.overall-paused strong{color:var(--admin)}.overall-paused .label{color:var(--quiet)}
.old .overall-paused{border-color:var(--quiet)}.old .overall-paused strong{color:var(--quiet)}
thead th:nth-child(1){width:9.5rem}
.state{min-width:7.75rem;white-space:nowrap}
.uptime{display:grid;grid-template-columns:repeat(auto-fit,minmax(5.5rem,1fr));gap:.75rem;margin-top:.25rem}
.uptime div{display:block}
.uptime dd{font-size:1.375rem;font-weight:600;font-variant-numeric:tabular-nums}
.uptime dt{flex:none}
.strip,.plot{display:block;width:100%}
.strip{height:3rem}
.plot{height:8rem;margin-top:.5rem}
.strip .OK{fill:var(--ok)}.strip .YELLOW{fill:var(--yellow)}.strip .RED{fill:var(--red)}.strip .none{fill:var(--line)}
.plot path{fill:none;stroke:var(--link);stroke-width:2;stroke-linejoin:round;vector-effect:non-scaling-stroke}
.plot circle{fill:var(--link)}
.plot line{stroke:var(--line);vector-effect:non-scaling-stroke}
.plot .failed{stroke:var(--red);stroke-width:2}
.scale{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;color:var(--quiet);font-size:.875rem}
.paused .state{color:var(--admin);background:none;border:2px dashed var(--admin)}
.legend{color:var(--quiet);font-size:.875rem;margin-top:.25rem}
@media (max-width:44rem){.card dl div{flex-wrap:wrap;gap:0 .5rem}.card dt{flex:0 0 100%}.uptime dt{flex:none}form>div,form input,form select{flex:1 1 100%;width:100%}}
@media (forced-colors:active){.card,.trouble{border:2px solid}.strip rect{forced-color-adjust:none}}
`
