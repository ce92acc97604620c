import { readFileSync } from "node:fs";
import xz from "xz-decompress";
import { dataFile } from "./data.ts";

const block = 512;

/** A file of LogHub's 2,000-line samples (loghub_2k.tar.xz). */
export async function loghubSample(name: string): Promise<Buffer> {
  const packed = new Blob([readFileSync(dataFile("loghub_2k.tar.xz"))]).stream();
  const tar = Buffer.from(await new Response(new xz.XzReadableStream(packed)).arrayBuffer());
  for (let at = 0; at + block <= tar.length; ) {
    const member = tar.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    const bytes = Number.parseInt(tar.toString("latin1", at + 124, at + 136), 8) || 0;
    if (member.endsWith(name)) return tar.subarray(at + block, at + block + bytes);
    at += block + Math.ceil(bytes / block) * block;
  }
  throw new Error(`loghub_2k.tar.xz holds no ${name}.`);
}
