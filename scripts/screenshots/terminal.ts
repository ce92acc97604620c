import Anser from "anser";

const [characterWidth, lineHeight, padding, mostColumns] = [8.4, 20, 20, 132];
/** As the page has them: one accent on ink. */
const colours = { paper: "#16181b", ink: "#e6e2dc", quiet: "#a59f96" };
const foregrounds: Readonly<Record<string, string>> = {
  "ansi-red": "#ff9068",
  "ansi-green": "#9cc7a0",
  "ansi-yellow": "#e3c178",
};

/** What a command printed on a terminal, its colours and bold type included, as a picture. Longer lines are cut. */
export function terminalSvg(command: string, output: string): string {
  const rows = [
    [{ content: `$ ${command}`, fg: null, decorations: ["dim"] }],
    ...output.trimEnd().split("\n").map(partsOf),
  ];
  const columns = Math.max(...rows.map((parts) => Math.min(mostColumns, lengthOf(parts))));
  const [width, height] = [
    Math.ceil(columns * characterWidth + 2 * padding),
    rows.length * lineHeight + 2 * padding,
  ];
  const texts = rows.map((parts, place) => {
    let left = mostColumns;
    const spans = parts.map(({ content, fg, decorations }) => {
      const shown =
        content.length > left ? `${content.slice(0, Math.max(0, left - 1))}…`.slice(0, left) : content;
      left -= shown.length;
      const fill = foregrounds[fg ?? ""] ?? (decorations.includes("dim") ? colours.quiet : colours.ink);
      return `<tspan fill="${fill}"${decorations.includes("bold") ? ' font-weight="bold"' : ""}>${escaped(shown)}</tspan>`;
    });
    return `<text x="${padding}" y="${padding + (place + 0.72) * lineHeight}" xml:space="preserve">${spans.join("")}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(command)}</title>
<rect width="${width}" height="${height}" rx="10" fill="${colours.paper}"/>
<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
${texts.join("\n")}
</g>
</svg>
`;
}

interface Part {
  content: string;
  fg: string | null;
  decorations: readonly string[];
}

function partsOf(row: string): Part[] {
  return Anser.ansiToJson(row, { use_classes: true, remove_empty: true });
}

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { content }) => sum + content.length, 0);
}

function escaped(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f]/g, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
