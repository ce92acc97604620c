import { maxDepth } from "./json-object.ts";

/**
 * Whether a MessagePack value can be what it says: every element takes a byte at least, and nothing is nested too deep.
 * The decoder makes room for as many elements as a head of five bytes names, before it has seen one of them.
 */
export function isSound(bytes: Buffer): boolean {
  /** Elements still to come, of each container that is open. */
  const open: number[] = [];
  let promised = 1;
  let at = 0;
  while (at < bytes.length) {
    const [headBytes, payload, elements] = headOf(bytes, at);
    at += headBytes + payload;
    promised += elements;
    if (promised > bytes.length) return false;
    if (elements > 0) {
      open.push(elements);
      if (open.length > maxDepth) return false;
      continue;
    }
    while (open.length > 0) {
      const left = (open.pop() ?? 0) - 1;
      if (left > 0) {
        open.push(left);
        break;
      }
    }
  }
  return true;
}

/** Bytes of the head, bytes that follow it, and elements that follow those (MessagePack specification, "Formats"). */
function headOf(bytes: Buffer, at: number): [number, number, number] {
  const kind = bytes[at] ?? 0;
  const number = (size: 1 | 2 | 4) => (at + 1 + size <= bytes.length ? bytes.readUIntBE(at + 1, size) : 0);
  if (kind <= 0x7f || kind >= 0xe0) return [1, 0, 0];
  if (kind <= 0x8f) return [1, 0, 2 * (kind & 0x0f)];
  if (kind <= 0x9f) return [1, 0, kind & 0x0f];
  if (kind <= 0xbf) return [1, kind & 0x1f, 0];
  switch (kind) {
    case 0xc4:
    case 0xd9:
      return [2, number(1), 0];
    case 0xc5:
    case 0xda:
      return [3, number(2), 0];
    case 0xc6:
    case 0xdb:
      return [5, number(4), 0];
    case 0xc7:
      return [3, number(1), 0];
    case 0xc8:
      return [4, number(2), 0];
    case 0xc9:
      return [6, number(4), 0];
    case 0xca:
    case 0xce:
    case 0xd2:
      return [5, 0, 0];
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return [9, 0, 0];
    case 0xcc:
    case 0xd0:
      return [2, 0, 0];
    case 0xcd:
    case 0xd1:
      return [3, 0, 0];
    case 0xdc:
      return [3, 0, number(2)];
    case 0xdd:
      return [5, 0, number(4)];
    case 0xde:
      return [3, 0, 2 * number(2)];
    case 0xdf:
      return [5, 0, 2 * number(4)];
    // fixext of 1, 2, 4, 8 and 16 bytes, each after its type
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return [2, 2 ** (kind - 0xd4), 0];
    default:
      return [1, 0, 0];
  }
}
