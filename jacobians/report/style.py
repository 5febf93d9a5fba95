"""The style sheet of a report: light and dark, wide and narrow, screen and paper.

Colours have one meaning each: target axes, input axes, axes summed over.  Everything else is the text's own
colour on the page's own background.
"""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--t:#0a58a8;--n:#a63a06;--s:#6a3d9e;--soft:#5a5f66;--line:#d5d8dc;--wash:#f4f5f7;--hit:#0a58a8}
@media (prefers-color-scheme:dark){:root{--t:#82bdff;--n:#ffb07a;--s:#cfaeff;--soft:#a9b0b8;--line:#3b4047;--wash:#1e2125;--hit:#82bdff}}
*{box-sizing:border-box}
html{font-size:106.25%;-webkit-text-size-adjust:100%}
body{margin:0;background:Canvas;color:CanvasText;line-height:1.55;overflow-wrap:break-word;
  font-family:"Iowan Old Style","Palatino Linotype",Palatino,"URW Palladio L","STIX Two Text",STIX,Georgia,serif}
main,header.top,footer{max-width:54rem;margin:0 auto;padding:0 1.25rem}
math{font-family:"STIX Two Math","Cambria Math",math;font-size:1.12em}
code,pre,svg text{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{font-size:.84em}
header.top{padding-top:3rem}
.over{margin:0;color:var(--soft);font-size:.85rem;letter-spacing:.09em;text-transform:uppercase}
h1{margin:.35rem 0 .9rem;font-weight:400;font-size:clamp(1.5rem,6vw,2.5rem);line-height:1.25}
h1 math{font-size:1em}
h2{margin:3.2rem 0 .9rem;padding-top:.9rem;border-top:1px solid var(--line);font-size:1.35rem;font-weight:600;line-height:1.3;break-after:avoid}
h2 .no{display:inline-block;min-width:1.6em;color:var(--soft);font-weight:400}
h3{margin:1.9rem 0 .5rem;font-size:1.02rem;font-weight:600;break-after:avoid}
p{margin:.6rem 0;max-width:40rem}
.lede{font-size:1.1rem}
.soft,figcaption,caption,small{color:var(--soft)}
.t{color:var(--t)}.n{color:var(--n)}.s{color:var(--s)}
.key b{font-weight:600}
nav ol{display:flex;flex-wrap:wrap;gap:.15rem 1.4rem;margin:1.4rem 0 0;padding:0;list-style:none;font-size:.95rem}
a{color:inherit;text-decoration-color:var(--line);text-underline-offset:.2em}
a:hover,a:focus-visible{text-decoration-color:currentColor}
dl.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:1rem 1.5rem;margin:1.6rem 0 0}
dl.facts div{border-left:2px solid var(--line);padding-left:.75rem}
dl.facts dt{color:var(--soft);font-size:.85rem}
dl.facts dd{margin:0;font-size:1.05rem}
.two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:1.5rem 2.5rem;align-items:start}
.two>*{min-width:0}
@media (max-width:44rem){.two{grid-template-columns:minmax(0,1fr)}header.top{padding-top:1.6rem}h2{margin-top:2.4rem}}
p.chain{max-width:none;margin:1.3rem 0;line-height:2.6;font-size:1.18rem}
p.chain math{margin-right:.12em}
.eq{max-width:none;overflow-x:auto;overflow-y:hidden;padding:.2rem 0}
ol.steps{list-style:none;margin:1rem 0;padding:0}
ol.steps>li{display:grid;grid-template-columns:7.2rem minmax(0,1fr);gap:0 1.2rem;align-items:baseline;padding:.45rem 0;border-top:1px solid var(--line)}
ol.steps>li:last-child{border-bottom:1px solid var(--line)}
ol.steps>li>span{color:var(--soft);font-size:.92rem}
ol.steps>li.answer{background:var(--wash);box-shadow:-.75rem 0 var(--wash),.75rem 0 var(--wash)}
ol.steps>li.answer>span{color:inherit;font-weight:600}
@media (max-width:32rem){ol.steps>li{grid-template-columns:minmax(0,1fr)}ol.steps>li.answer{box-shadow:none}}
figure{margin:1.2rem 0;break-inside:avoid}
figcaption{margin-top:.5rem;font-size:.92rem;max-width:40rem}
.pictures{display:flex;flex-wrap:wrap;gap:1.4rem 2.6rem;align-items:flex-end}
.pictures figure{margin:0;max-width:100%}
.pictures figcaption b{display:block;color:CanvasText;font-weight:600}
svg{display:block}
math svg{display:inline}
svg.blocks rect.h,svg.structure rect.h,svg.bar rect.h{fill:var(--hit)}
svg.graph path.chain,svg.graph rect.on{stroke:var(--hit)}
svg.graph text.chain{fill:var(--hit)}
svg.graph rect.on{fill:var(--hit)}
svg.graph text{font-family:inherit}
.scroll{overflow-x:auto;margin:1rem 0}
.scroll:focus-visible,pre:focus-visible{outline:2px solid var(--t);outline-offset:2px}
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums;line-height:1.4}
caption{text-align:left;padding:0 0 .5rem;font-size:.92rem}
th,td{padding:.36rem 1.1rem .36rem 0;text-align:left;vertical-align:baseline;font-weight:400;white-space:nowrap}
thead th{color:var(--soft);font-size:.88em;border-bottom:1px solid currentColor;vertical-align:bottom}
tbody th,tbody td{border-bottom:1px solid var(--line)}
td.wrap,.values td{white-space:normal}
.none{color:var(--soft)}
i.kron{font-style:normal;color:var(--s)}
.costs svg{min-width:7.5rem}
pre{margin:.6rem 0 1.2rem;padding:.9rem 1rem;overflow-x:auto;background:var(--wash);border-radius:.4rem;line-height:1.45;font-size:.9rem;tab-size:4}
pre code{font-size:.92em}
.co{color:var(--soft);font-style:italic}.kw{color:var(--s)}.st{color:var(--n)}.nu{color:var(--t)}
footer{margin-top:3.5rem;padding-top:1rem;padding-bottom:3rem;color:var(--soft);font-size:.88rem}
footer p{border-top:1px solid var(--line);padding-top:1rem;max-width:none}
@media print{
  @page{margin:18mm 16mm}
  :root{color-scheme:light;--t:#0a58a8;--n:#a63a06;--s:#6a3d9e;--soft:#4c5157;--line:#c9cdd2;--wash:#f4f5f7;--hit:#0a58a8}
  html{font-size:10pt}
  body{background:#fff;color:#000}
  main,header.top,footer{max-width:none;padding:0}
  header.top{padding-top:0}
  nav{display:none}
  h2{margin-top:1.8rem}
  .scroll,pre,.eq{overflow:visible}
  pre{white-space:pre-wrap;border:1px solid var(--line)}
  th,td{white-space:normal;padding-right:.8rem}
  table{font-size:.86rem}
  figure,ol.steps>li,tr,p.chain{break-inside:avoid}
  *{-webkit-print-color-adjust:exact;print-color-adjust:exact}
  .two{grid-template-columns:auto minmax(0,1fr)}
}
""".strip()
