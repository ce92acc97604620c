import type avsc from "avsc";
import { maxDepth } from "./json-object.ts";

/** Of one record, those of no byte too: nulls, and records that have nothing but such. A line's event has dozens. */
const mostValues = 1_000_000;

/**
 * Steps through an Avro value as its schema says, and no further than its bytes: avsc itself believes a block that
 * promises more items than there are bytes, and makes every one of them. (Avro 1.12, "Binary Encoding".)
 * @throws RangeError
 */
export function assertSound(type: avsc.Type, bytes: Buffer): void {
  let at = 0;
  let values = 0;

  function step(size: number): void {
    if (size < 0 || size > bytes.length - at) throw new RangeError("it ends before its last field");
    at += size;
  }

  /** Zigzag, seven bits a byte, the lowest first; beyond 2^53 inexact, and too long for anything then. */
  function long(): number {
    let [value, unit] = [0, 1];
    for (let count = 0; count < 10; count++) {
      const byte = bytes[at] ?? 0;
      step(1);
      value += (byte & 0x7f) * unit;
      unit *= 128;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new RangeError("a number has more than ten bytes");
  }

  function blocks(item: () => void): void {
    for (let count = long(); count !== 0; count = long()) {
      // Then the block's size follows.
      if (count < 0) long();
      for (let left = Math.abs(count); left > 0; left--) item();
    }
  }

  function walk(one: avsc.Type, depth: number): void {
    if (++values > mostValues) throw new RangeError(`it holds more than ${mostValues} values`);
    if (depth > maxDepth) throw new RangeError(`it is nested more than ${maxDepth} levels deep`);
    switch (one.typeName) {
      case "null":
        break;
      case "boolean":
        step(1);
        break;
      case "float":
        step(4);
        break;
      case "double":
        step(8);
        break;
      case "bytes":
      case "string":
        step(long());
        break;
      case "fixed":
        step((one as avsc.types.FixedType).size);
        break;
      case "array": {
        const { itemsType } = one as avsc.types.ArrayType;
        blocks(() => walk(itemsType, depth + 1));
        break;
      }
      case "map": {
        const valuesType = (one as avsc.types.MapType).valuesType as avsc.Type;
        blocks(() => {
          step(long());
          walk(valuesType, depth + 1);
        });
        break;
      }
      case "record":
      case "error":
        for (const field of (one as avsc.types.RecordType).fields) walk(field.type, depth + 1);
        break;
      case "union:wrapped":
      case "union:unwrapped": {
        const branch = (one as avsc.types.UnwrappedUnionType).types[long()];
        if (branch === undefined) throw new RangeError("it takes a branch that its union does not have");
        walk(branch, depth + 1);
        break;
      }
      default:
        // int, enum, and long, for which we have a type of our own
        long();
    }
  }

  walk(type, 0);
}
