import { promisify } from "node:util";
import { gzip, unzip, zstdCompress, zstdDecompress } from "node:zlib";
import kafkajs from "kafkajs";
import { compressFrame, decompressFrame } from "lz4-napi";
import { compress, uncompress } from "snappy";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { standIn } from "./unreadable-batch.ts";

/** Of one batch unpacked, at most. The broker bounds only what is packed, by default to 1 MB. */
const maxBatchBytes = 64 * 2 ** 20;
/** As zlib says it. */
const tooLarge = "ERR_BUFFER_TOO_LARGE";

/** Off the main thread, all of them. */
interface Codec {
  pack(bytes: Buffer): Promise<Buffer>;
  /** @throws Error ERR_BUFFER_TOO_LARGE where it would be more than `maxBatchBytes`, before they are held. */
  unpack(bytes: Buffer): Promise<Buffer>;
}

/** zlib unpacks into pieces of this size, each a way to another thread and back: 16 kB by default, for up to three times the CPU. */
const chunkSize = 256 * 2 ** 10;
const zlibOptions = { maxOutputLength: maxBatchBytes, chunkSize };
const codecs: Record<"GZIP" | "Snappy" | "LZ4" | "ZSTD", Codec> = {
  GZIP: {
    pack: promisify(gzip),
    unpack: async (bytes) => fitted(await promisify(unzip)(bytes, zlibOptions)),
  },
  ZSTD: {
    pack: promisify(zstdCompress),
    unpack: async (bytes) => fitted(await promisify(zstdDecompress)(bytes, zlibOptions)),
  },
  Snappy: { pack: compress, unpack: unpackSnappy },
  LZ4: {
    pack: compressFrame,
    async unpack(bytes) {
      assertFits(mostOfLz4(bytes));
      return decompressFrame(bytes);
    },
  },
};

/** Tells kafkajs, which itself brings only gzip, without a bound. */
export function registerCodecs(): void {
  for (const [name, { pack, unpack }] of Object.entries(codecs) as [keyof typeof codecs, Codec][])
    kafkajs.CompressionCodecs[kafkajs.CompressionTypes[name]] = () => ({
      compress: ({ buffer }: { buffer: Buffer }) => pack(buffer),
      decompress: (buffer: Buffer) =>
        unpack(buffer).catch((thrown) => {
          const error = unreadable(name, thrown);
          const records = standIn(buffer, error);
          if (records === undefined) throw error;
          return records;
        }),
    });
}

/** kafkajs keeps only the innermost cause of what it may not try again, so this has none. */
function unreadable(codec: string, thrown: unknown): LogGuardianError {
  const isLarge = (thrown as { code?: unknown }).code === tooLarge;
  const error = new LogGuardianError(
    isLarge ? "LG_KAFKA_BATCH_SIZE" : "LG_KAFKA_BATCH_DAMAGED",
    isLarge
      ? `A ${codec} batch unpacks to more than ${maxBatchBytes / 2 ** 20} MB.`
      : `A ${codec} batch cannot be unpacked: ${reasonOf(thrown)}.`,
    "Find who sent it; the topic holds it until its retention ends. A group that ends with this is moved past it with kafka-consumer-groups --reset-offsets.",
  );
  return Object.assign(error, { retriable: false });
}

/** A small batch would keep the whole piece in memory that it was unpacked into. */
function fitted(bytes: Buffer): Buffer {
  return bytes.buffer.byteLength > 2 * bytes.length ? Buffer.from(bytes) : bytes;
}

function assertFits(bytes: number): void {
  if (bytes > maxBatchBytes) throw Object.assign(new Error(`${bytes} bytes`), { code: tooLarge });
}

const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);

/** One block, or xerial's stream of them, which Java's clients write: magic, two versions, then size and block each. */
async function unpackSnappy(bytes: Buffer): Promise<Buffer> {
  const blocks: Buffer[] = [];
  if (bytes.subarray(0, xerialMagic.length).equals(xerialMagic))
    for (let at = xerialMagic.length + 8; at < bytes.length; ) {
      const size = bytes.readUInt32BE(at);
      blocks.push(bytes.subarray(at + 4, at + 4 + size));
      at += 4 + size;
    }
  else blocks.push(bytes);
  assertFits(blocks.reduce((sum, block) => sum + lengthOfSnappy(block), 0));
  const unpacked: Buffer[] = [];
  for (const block of blocks) unpacked.push(Buffer.from(await uncompress(block, { asBuffer: true })));
  return Buffer.concat(unpacked);
}

/** A block begins with its unpacked length: seven bits a byte, lowest first. */
function lengthOfSnappy(block: Buffer): number {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = block[at] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) break;
  }
  return length;
}

/** What a frame can unpack to at most, from the sizes of its blocks (LZ4 Frame Format 1.6). */
function mostOfLz4(frame: Buffer): number {
  const flags = frame.readUInt8(4);
  const blockBytes = 2 ** (8 + 2 * ((frame.readUInt8(5) >> 4) & 7));
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  let most = 0;
  for (;;) {
    const word = frame.readUInt32LE(at);
    if (word === 0) return most;
    const size = word & 0x7fff_ffff;
    most += Math.min(blockBytes, 255 * size);
    at += 4 + size + (flags & 0x10 ? 4 : 0);
  }
}
