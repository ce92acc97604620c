/** score = sigmoid(scale * margin + shift): a probability, as the bundle's trainer fitted it. */
export interface Calibration {
  scale: number;
  shift: number;
}

export function scoreOf(margin: number, { scale, shift }: Calibration): number {
  return 1 / (1 + Math.exp(-(scale * margin + shift)));
}
