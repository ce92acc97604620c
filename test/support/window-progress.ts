/** Of a lines-partition that has taken nothing in yet, and has counted seven entries. */
export const progress = {
  specHash: "s",
  specSince: 0,
  nextSeq: 7,
  maskHash: "m",
  maskSince: 3,
  streamTime: { reached: Number.MIN_SAFE_INTEGER, sources: [] },
  repeats: [{ at: 7, offset: 5, index: 1 }],
};
