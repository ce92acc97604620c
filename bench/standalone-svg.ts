/** A chart as a file of its own: it brings the style that the reports' pages have. @param colours of its marks, by class. */
export function standalone(svg: string, colours: Record<string, string>): string {
  const marks = Object.entries(colours).map(
    ([name, colour]) => `.${name} { stroke: ${colour}; fill: ${colour}; }`,
  );
  const style = `<style>
  svg { background: #fff; font: 12px system-ui, sans-serif; }
  .grid { stroke: #e5e5e0; } .axis { stroke: #888; } .tick, .name { fill: #555; } .end { text-anchor: end; } .middle { text-anchor: middle; }
  .curve { stroke-width: 2; } ${marks.join(" ")}
  path.curve { fill: none; } text { stroke: none !important; }
</style>`;
  return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ').replace(">", `>${style}`);
}
