import { expect, it } from "vitest";
import { terminalSvg } from "../../scripts/screenshots/terminal.ts";

it("draws what a terminal shows: colours, bold type, and text as text", () => {
  const svg = terminalSvg(
    "logguardian detect 'a&b'",
    "\u001b[1m\u001b[31mANOMALOUS\u001b[39m\u001b[22m  here\n  <script>x</script>\u0007\n",
  );
  expect(svg).toContain('<tspan fill="#ff9068" font-weight="bold">ANOMALOUS</tspan>');
  expect(svg).toContain("&lt;script&gt;x&lt;/script&gt;</tspan>");
  expect(svg).toContain("$ logguardian detect 'a&amp;b'");
  expect(svg).not.toMatch(/[\u0007\u001b]|<script/);
  expect(svg.match(/<text /g)).toHaveLength(3);
});

it("cuts what is wider than its terminal, and says so", () => {
  const svg = terminalSvg("x", "y".repeat(500));
  expect(svg).toContain(`>${"y".repeat(131)}…<`);
  expect(Number(/width="(\d+)"/.exec(svg)?.[1])).toBeLessThan(1200);
});
