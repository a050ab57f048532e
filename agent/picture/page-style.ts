/**
 * How the page looks.
 *
 * @module
 */
import { PALETTE, PICTURE_STYLE } from './svg-style.ts'

export const PAGE_STYLE = `${PALETTE}
${PICTURE_STYLE}
*{box-sizing:border-box}
html{background:var(--sheet);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
body{max-width:1168px;margin:0 auto;padding:24px 24px 64px}
h1{font-size:1.75rem;line-height:1.2;letter-spacing:-.015em;margin:.25rem 0 .25rem}
h2{font-size:1.125rem;line-height:1.3;margin:2.75rem 0 .75rem}
p{margin:.25rem 0 .75rem;max-width:68ch}
a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:.15em}
code,.mono{font:.875em/1.45 ui-monospace,"SF Mono","Cascadia Mono","DejaVu Sans Mono",monospace}
.soft{color:var(--soft)}
.skip{position:absolute;left:-999px}
.skip:focus{left:24px;top:8px;background:var(--sheet);padding:.25rem .5rem}
:focus-visible{outline:2.5px solid var(--both);outline-offset:2px;border-radius:3px}
.facts{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;margin:.5rem 0 0;padding:0;list-style:none}
@media (max-width:900px){.scroll{overflow-x:auto}.scroll>table{min-width:780px}}
.picture{display:block;width:100%;min-width:820px;height:auto}
.picture.key{display:inline-block;width:44px;min-width:0;height:12px;vertical-align:middle;margin-right:.6rem;flex:none}
form{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:.75rem 1rem;background:var(--panel);border:1px solid var(--edge);border-radius:10px;padding:1rem 1.125rem 1.125rem}
form[hidden],[hidden]{display:none!important}
label{display:grid;gap:.2rem;font-size:.875rem;color:var(--soft);align-content:start}
label.wide{grid-column:span 2}
input,select,button{font:inherit;font-size:1rem;color:var(--ink);background:var(--sheet);border:1px solid var(--edge);border-radius:6px;padding:.375rem .5rem;min-width:0;width:100%}
input[aria-invalid=true]{border-color:var(--drop);box-shadow:0 0 0 1px var(--drop)}
button{cursor:pointer;width:auto;padding:.375rem .875rem}
output{display:block;margin-top:1rem;border:1px solid var(--edge);border-left:5px solid currentColor;border-radius:4px 10px 10px 4px;padding:.75rem 1.125rem;min-height:5.5rem}
output .verdict{font-size:1.125rem;font-weight:650;line-height:1.35;margin:0 0 .25rem}
output p{color:var(--ink)}
output p:last-child{margin-bottom:0}
${['both', 'esp', 'ah', 'lenient', 'bypass', 'drop'].map((style) => `output.${style},td .${style},th .${style}{color:var(--${style})}`).join('\n')}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
caption{text-align:left;color:var(--soft);padding-bottom:.5rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--edge)}
th:last-child,td:last-child{padding-right:.5rem}
thead th{font-size:.8125rem;font-weight:600;color:var(--soft);white-space:nowrap;position:sticky;top:0;background:var(--sheet);z-index:1}
tbody th[colspan]{font-size:.9375rem;font-weight:650;padding-top:1.5rem;border-bottom:1px solid var(--ink)}
tr td:first-child,tr th:first-child{padding-left:.5rem}
td.number{text-align:right;white-space:nowrap;padding-right:1.25rem}
td.nowrap{white-space:nowrap}
td .asked{display:flex;align-items:flex-start;font-weight:600}
td .asked svg{margin-top:.35rem}
td.mono{font-size:.875rem;line-height:1.6}
td .alternative{margin-left:calc(44px + .6rem)}
td .source{display:block;font-size:.8125rem;color:var(--soft);overflow-wrap:anywhere}
tr.wins td{background:var(--mark)}
tr.never .asked>span{text-decoration:line-through;color:var(--soft)}
.lack{color:var(--drop);font-weight:600}
.tools{display:flex;flex-wrap:wrap;align-items:end;gap:.75rem 1rem;margin:0 0 .75rem}
.tools label{flex:1 1 240px;max-width:420px}
@media (max-width:640px){body{padding:16px 16px 48px}label.wide{grid-column:auto}}
@media print{
@page{margin:14mm}
body{max-width:none;padding:0}
html{font-size:10.5pt}
.screen{display:none!important}
tr[data-more]{display:table-row!important}
tr.wins td{background:none}
.scroll{overflow:visible}.scroll>table{min-width:0}
tr,.picture g.node{break-inside:avoid}
h2{break-after:avoid}
thead th{position:static}
.picture{min-width:0}
}`
