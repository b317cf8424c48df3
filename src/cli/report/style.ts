/** The report's style sheet: dark and light by the reader's system, one column on a phone, up to three on a wide screen. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --text: #1b1f24; --muted: #5a6470; --line: #dde1e6;
  --train: #1f6feb; --valid: #bc5a00; --third: #6e40c9; --bar: #5b9bd5; --warn: #8a5300; --warn-page: #fff4dd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1216; --card: #181c22; --text: #e3e7ec; --muted: #98a3b0; --line: #2b323b;
    --train: #58a6ff; --valid: #f0883e; --third: #b392f0; --bar: #3f77ab; --warn: #f0c674; --warn-page: #2c2414;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
main { max-width: 1480px; margin: 0 auto; padding: 24px clamp(12px, 3vw, 40px) 48px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 40px 0 12px; }
h3 { font-size: .95rem; margin: 0 0 8px; }
p { margin: 0 0 8px; max-width: 78ch; }
.lead { color: var(--muted); margin: 4px 0 20px; overflow-wrap: anywhere; max-width: none; }
.muted { color: var(--muted); font-size: .87rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; min-width: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; }
.tile b { display: block; font-size: 1.55rem; font-weight: 600; line-height: 1.2; }
.tile span { color: var(--muted); font-size: .85rem; }
.notes { margin: 16px 0 0; padding: 12px 16px 12px 34px; background: var(--warn-page); border-radius: 8px; }
.notes li { margin: 2px 0; overflow-wrap: anywhere; }
p.muted { margin-top: 8px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 12px; }
.chart { min-height: 272px; }
.uplot { font-family: inherit; max-width: 100%; }
.u-legend { font-size: .82rem; text-align: left; color: var(--text); }
.u-legend th { font-weight: 400; }
.u-legend.u-inline .u-series th::after { content: none; }
.bars { --name: max-content; display: grid; grid-template-columns: var(--name) minmax(60px, 1fr) max-content; column-gap: 10px; }
.bars > div { display: contents; }
.bars .name { font-size: .84rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.bars .track { position: relative; height: 22px; background: linear-gradient(var(--line), var(--line)) 0 100% / 100% 0 no-repeat; }
.bars .fill { position: absolute; inset: 4px auto 4px 0; background: var(--bar); border-radius: 0 3px 3px 0; min-width: 1px; }
.bars .track::before, .bars .track::after { content: ""; position: absolute; z-index: 1; top: 0; bottom: 0; border-left: 2px solid var(--train); left: var(--mean); }
.bars .track::after { border-left: 2px dashed var(--valid); left: var(--median); }
.bars .value { font-size: .84rem; text-align: right; }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 10px; font-size: .87rem; color: var(--muted); }
.key i { display: inline-block; height: 1em; margin-right: 6px; vertical-align: -2px; border-left: 2px solid var(--train); }
.key .median i { border-left: 2px dashed var(--valid); }
.key .red, .key .green { width: 12px; height: 0; border-left: 0; border-top: 3px solid #ff4040; vertical-align: 4px; }
.key .green { border-top-color: #28b84a; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 250px), 1fr)); gap: 12px; }
figure { margin: 0; }
figure img { display: block; width: 100%; height: auto; border-radius: 6px; background: #000; }
figcaption { font-size: .82rem; color: var(--muted); margin-top: 4px; overflow-wrap: anywhere; }
.wide { margin: 16px 0 0; overflow-x: auto; }
.wide img { min-width: 720px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; width: 100%; }
th, td { padding: 5px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { color: var(--muted); font-weight: 500; vertical-align: bottom; }
.u-legend, .u-legend tr, .u-legend th, .u-legend td { border: 0; width: auto; padding: 0 2px; }
.u-legend.u-inline tr { margin-right: 10px; }
details { margin-top: 12px; }
summary { cursor: pointer; color: var(--muted); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 12px; }
dl { display: grid; grid-template-columns: minmax(90px, max-content) 1fr; gap: 3px 14px; margin: 0; font-size: .88rem; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
a:focus-visible, summary:focus-visible, .scroll:focus-visible, .wide:focus-visible { outline: 2px solid var(--train); outline-offset: 2px; }
footer { margin-top: 40px; color: var(--muted); font-size: .85rem; }
@media (max-width: 560px) {
  .bars { --name: minmax(0, 145px); column-gap: 8px; }
  .bars .name { font-size: .74rem; line-height: 22px; }
  .card { padding: 12px; }
}
@media print {
  body { background: none; }
  .card, figure, tr { break-inside: avoid; }
}
`;
