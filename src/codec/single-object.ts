import { readFileSync } from "node:fs";
import { join } from "node:path";
import avsc from "avsc";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { packageRoot } from "../package-root.ts";

/** Values of one kind as Avro's single-object encoding, readable across the versions of their schema. */
export interface Codec<T> {
  encode(value: T): Buffer;
  /** @throws LogGuardianError LG_MESSAGE_SCHEMA, LG_MESSAGE_DAMAGED. */
  decode(bytes: Buffer): T;
}

const headerBytes = 10;

/** @param versions schema files of one kind in `schemas/`, newest first; all are read, the newest is written. */
export function createCodec<T>(versions: readonly [string, ...string[]]): Codec<T> {
  const types = versions.map((name) =>
    avsc.Type.forSchema(JSON.parse(readFileSync(join(packageRoot(), "schemas", name), "utf8"))),
  );
  const [newest] = types as [avsc.Type, ...avsc.Type[]];
  const header = headerOf(newest);
  const others = new Map(
    types.slice(1).map((type) => [headerOf(type).toString("latin1"), newest.createResolver(type)] as const),
  );
  /** As large as the largest value so far: avsc's own is small, and what does not fit is encoded twice. */
  let scratch = Buffer.allocUnsafe(2 ** 16);
  return {
    encode(value) {
      for (;;) {
        const end = newest.encode(value, scratch, headerBytes);
        header.copy(scratch);
        if (end >= 0) return Buffer.from(scratch.subarray(0, end));
        scratch = Buffer.allocUnsafe(scratch.length - 2 * end);
      }
    },
    decode(bytes) {
      const isNewest = header.equals(bytes.subarray(0, headerBytes));
      const resolver = isNewest ? undefined : others.get(bytes.toString("latin1", 0, headerBytes));
      if (!isNewest && resolver === undefined)
        throw new LogGuardianError(
          "LG_MESSAGE_SCHEMA",
          `A message does not follow any known version of ${newest.name}.`,
          "Upgrade this process, or check who else writes to the topic.",
        );
      try {
        return newest.fromBuffer(bytes.subarray(headerBytes), resolver);
      } catch (thrown) {
        throw new LogGuardianError(
          "LG_MESSAGE_DAMAGED",
          `A ${newest.name} message cannot be read: ${reasonOf(thrown)}.`,
          "Check who else writes to the topic.",
          thrown,
        );
      }
    },
  };
}

/** Marker and fingerprint of a schema. */
function headerOf(type: avsc.Type): Buffer {
  const header = Buffer.from([0xc3, 0x01, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeBigUInt64LE(rabinFingerprint(JSON.stringify(type.schema())), 2);
  return header;
}

const empty = 0xc15d213aa4d7a795n;
const table = Array.from({ length: 256 }, (_, byte) => {
  let fingerprint = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) fingerprint = (fingerprint >> 1n) ^ (fingerprint & 1n ? empty : 0n);
  return fingerprint;
});

/** CRC-64-AVRO of a schema's canonical form (Avro 1.11 specification, "Schema Fingerprints"). */
export function rabinFingerprint(canonical: string): bigint {
  let fingerprint = empty;
  for (const byte of Buffer.from(canonical))
    fingerprint = (fingerprint >> 8n) ^ (table[Number((fingerprint ^ BigInt(byte)) & 0xffn)] ?? 0n);
  return fingerprint;
}
