import { readFileSync } from "node:fs";
import { join } from "node:path";
import avsc from "avsc";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { packageRoot } from "../package-root.ts";
import { AvroReader, AvroWriter } from "./avro-binary.ts";

/** Values of one kind as Avro's single-object encoding, readable across the versions of their schema. */
export interface Codec<T> {
  encode(value: T): Buffer;
  /** @throws LogGuardianError LG_MESSAGE_SCHEMA, LG_MESSAGE_DAMAGED. */
  decode(bytes: Buffer): T;
}

/** Values of the newest version. */
export interface Shape<T> {
  write(value: T, to: AvroWriter): void;
  /** @throws RangeError where it is not what the schema says. */
  read(from: AvroReader): T;
}

const headerBytes = 10;

/** @param versions schema files of one kind in `schemas/`, newest first; all are read, the newest is written. */
export function createCodec<T>(versions: readonly [string, ...string[]], shape: Shape<T>): Codec<T> {
  const types = versions.map((name) =>
    avsc.Type.forSchema(JSON.parse(readFileSync(join(packageRoot(), "schemas", name), "utf8"))),
  );
  const [newest] = types as [avsc.Type, ...avsc.Type[]];
  const header = headerOf(newest);
  const others = new Map(
    types.slice(1).map((type) => [headerOf(type).toString("latin1"), newest.createResolver(type)] as const),
  );
  const writer = new AvroWriter();

  function read(bytes: Buffer, from: number): T {
    const reader = new AvroReader(bytes, from);
    const value = shape.read(reader);
    reader.assertEnd();
    return value;
  }

  return {
    encode(value) {
      writer.begin(header);
      shape.write(value, writer);
      return writer.end();
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
        return resolver === undefined
          ? read(bytes, headerBytes)
          : read(newest.toBuffer(newest.fromBuffer(bytes.subarray(headerBytes), resolver)), 0);
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
