import { describe, expect, it } from "vitest";
import { type Box, placeNames } from "../../src/benchmark/report/label-places.ts";

const frame: Box = { left: 50, right: 900, top: 14, bottom: 330 };
const overlap = (one: Box, other: Box) =>
  one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;

describe("names of points", () => {
  it("stand to the right, and to the left where the picture ends", () => {
    const [first, last] = placeNames(
      [
        { name: "first", x: 100, y: 100 },
        { name: "last", x: 880, y: 200 },
      ],
      frame,
    );
    expect(first).toMatchObject({ side: "right", y: 100, moved: false });
    expect(last).toMatchObject({ side: "left", y: 200, moved: false });
  });

  it("lie neither on each other nor on a point, however near the points are", () => {
    const points = Array.from({ length: 12 }, (_, place) => ({
      name: `a method with a name ${place}`,
      x: 500 + (place % 3) * 8,
      y: 20 + Math.floor(place / 3) * 5,
    }));
    const places = placeNames(points, frame);
    expect(places).toHaveLength(12);
    expect(places.some(({ moved }) => moved)).toBe(true);
    for (const [place, { box }] of places.entries()) {
      for (const other of places.slice(place + 1)) expect(overlap(box, other.box)).toBe(false);
      for (const { x, y } of points)
        expect(box.left < x && x < box.right && box.top < y && y < box.bottom).toBe(false);
    }
  });

  it("are there where there is no room", () => {
    const points = Array.from({ length: 3 }, () => ({ name: "long".repeat(50), x: 100, y: 100 }));
    expect(placeNames(points, frame)).toHaveLength(3);
  });
});
