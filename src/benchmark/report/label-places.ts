/** A point of a plot, in its units, and its name. */
export interface Named {
  name: string;
  x: number;
  y: number;
}

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Where a name stands: beside its point, `moved` where it could not stand at its height. */
export interface Place {
  x: number;
  y: number;
  side: "left" | "right";
  moved: boolean;
  box: Box;
}

/** Of 12 px letters, a little more than they take. */
const letter = { width: 6.9, height: 14 };
const gap = 9;
const dotRadius = 6;
const mostSteps = 40;

/** Names beside their points, so that none lies on another or on a point while there is room in `frame`. */
export function placeNames(points: readonly Named[], frame: Box): Place[] {
  const places: Place[] = [];
  for (const point of points) {
    const others = points.filter((other) => other !== point).map(dotOf);
    const taken = [...others, ...places.map(({ box }) => box)];
    const all = candidates(point);
    const free = all.find(({ box }) => isInside(box, frame) && !taken.some((other) => overlap(box, other)));
    const place = free ?? all[0];
    if (place !== undefined) places.push(place);
  }
  return places;
}

/** The nearest height first, and at each height the right side first. */
function candidates({ name, x, y }: Named): Place[] {
  const width = name.length * letter.width;
  return Array.from({ length: mostSteps }, (_, step) => {
    const away = Math.ceil(step / 2) * letter.height;
    const at = y + (step % 2 === 1 ? away : -away);
    const [top, bottom] = [at - letter.height / 2, at + letter.height / 2];
    const right = { left: x + gap, right: x + gap + width, top, bottom };
    const left = { left: x - gap - width, right: x - gap, top, bottom };
    return [
      { x: x + gap, y: at, side: "right" as const, moved: step > 0, box: right },
      { x: x - gap, y: at, side: "left" as const, moved: step > 0, box: left },
    ];
  }).flat();
}

function dotOf({ x, y }: Named): Box {
  return { left: x - dotRadius, right: x + dotRadius, top: y - dotRadius, bottom: y + dotRadius };
}

function isInside(box: Box, frame: Box): boolean {
  return (
    box.left >= frame.left &&
    box.right <= frame.right &&
    box.top >= frame.top - letter.height &&
    box.bottom <= frame.bottom
  );
}

function overlap(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}
