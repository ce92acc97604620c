import { decode, ExtensionCodec } from "@msgpack/msgpack";
import { reasonOf } from "../../errors.ts";
import { commonFields, createFieldReader, type Fields } from "./fields.ts";
import { fluentBitFields, pieceIn } from "./fluent-bit.ts";
import { type RecordFormat, refused } from "./format.ts";
import { assertSize, isObject, type JsonObject } from "./json-object.ts";
import { isSound } from "./msgpack-shape.ts";

/** Fluentd's event time: seconds and nanoseconds, four bytes each. */
const eventTime = { type: 0, bytes: 8 };

const extensionCodec = new ExtensionCodec();
extensionCodec.register({
  type: eventTime.type,
  encode: () => null,
  decode(data) {
    if (data.byteLength !== eventTime.bytes) return data;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    return new Date(view.getUint32(0) * 1000 + Math.floor(view.getUint32(4) / 1e6));
  },
});

/** MessagePack as Fluent Bit and Fluentd write it: a map, or a pair of time and map. */
export function createMsgpack(fields: Partial<Fields> = {}): RecordFormat {
  const line = [
    ...fluentBitFields.line,
    ...commonFields.line.filter((name) => !fluentBitFields.line.includes(name)),
  ];
  const readFields = createFieldReader({ ...commonFields, line, ...fields }, "msgpack");
  return {
    name: "msgpack",
    decode({ value }) {
      if (value === null || value.length === 0) return [];
      assertSize(value, "msgpack");
      const content = objectIn(unpack(value));
      return [{ ...readFields(content), ...pieceIn(content) }];
    },
  };
}

function unpack(value: Buffer): unknown {
  if (!isSound(value))
    throw refused(
      "LG_RECORD_MSGPACK",
      "A msgpack record names more elements than it holds, or is nested too deep.",
    );
  try {
    return decode(value, { extensionCodec });
  } catch (thrown) {
    throw refused("LG_RECORD_MSGPACK", `A msgpack record cannot be read: ${reasonOf(thrown)}.`, thrown);
  }
}

function objectIn(content: unknown): JsonObject {
  if (isObject(content)) return content;
  if (Array.isArray(content) && content.length === 2 && isObject(content[1])) {
    // Since version 2.1 Fluent Bit's events have metadata beside their time.
    const [head, fields] = content;
    return { "@timestamp": Array.isArray(head) ? head[0] : head, ...fields };
  }
  throw refused("LG_RECORD_MSGPACK", "A msgpack record is neither a map nor a pair of time and map.");
}
