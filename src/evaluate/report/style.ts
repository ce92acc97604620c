/** The page's style sheet: light and dark by the reader's setting, nothing loaded from elsewhere. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --card: #ffffff; --ink: #1c1e21; --muted: #5f646b; --edge: #e2e3e0; --grid: #ebecea;
  --one: #2563c9; --two: #c2521a; --three: #0d8768; --wash: 37 99 201;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #141618; --card: #1d2023; --ink: #e8e9ea; --muted: #a2a7ae; --edge: #303438; --grid: #2a2e32;
    --one: #74a9ff; --two: #f29a63; --three: #4cc9a4; --wash: 116 169 255;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 32px 20px 64px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 40px 0 12px; }
h3 { font-size: 15px; margin: 0 0 8px; }
p, ul { margin: 0 0 12px; } ul { padding-left: 20px; color: var(--muted); }
.sub { color: var(--muted); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0; }
.tile, .card { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 14px 16px; }
.tile b { display: block; font-size: 26px; line-height: 1.2; font-weight: 650; }
.tile span { color: var(--muted); font-size: 13px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 16px; }
.stack { display: grid; gap: 16px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 6px 10px; border-bottom: 1px solid var(--edge); vertical-align: top; }
th { color: var(--muted); font-weight: 500; white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.now td { background: rgb(var(--wash) / 12%); }
code { font: 13px/1.45 ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.legend { display: flex; gap: 16px; color: var(--muted); font-size: 13px; margin-bottom: 4px; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; }
.fill-one { background: var(--one); } .fill-two { background: var(--two); } .fill-three { background: var(--three); }
.confusion td { text-align: center; border: 3px solid var(--card); border-radius: 8px; padding: 14px; }
.confusion td b { display: block; font-size: 20px; }
.confusion th { border: 0; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--muted); font-size: 12px; }
svg .note { fill: var(--ink); } svg .name { fill: var(--ink); }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
svg .grid { stroke: var(--grid); } svg .axis { stroke: var(--muted); }
svg .reference { stroke: var(--muted); stroke-dasharray: 4 4; }
svg .whisker { stroke: var(--one); stroke-width: 2; stroke-linecap: round; opacity: .55; }
svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .curve.one { stroke: var(--one); } svg .curve.two { stroke: var(--two); } svg .curve.three { stroke: var(--three); }
svg .bar.one { fill: var(--one); opacity: .45; } svg .bar.two { fill: var(--two); } svg .bar.three { fill: var(--three); }
svg .fill-mark.one { fill: var(--one); } svg .fill-mark.two { fill: var(--two); } svg .fill-mark.three { fill: var(--three); }
svg .fill-mark { stroke: var(--card); stroke-width: 1.5; }
svg .mark { fill: var(--one); stroke: var(--card); stroke-width: 2; }
`;
