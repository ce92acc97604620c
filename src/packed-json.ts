import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** JSON of ours that is kept and seldom read, such as a window's lines: about a tenth of its size. */
export async function packJson(value: unknown): Promise<Buffer> {
  return compress(JSON.stringify(value));
}

export async function unpackJson<T>(packed: Buffer): Promise<T> {
  return JSON.parse(String(await decompress(packed))) as T;
}
