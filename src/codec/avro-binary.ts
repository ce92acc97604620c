/**
 * Avro's binary encoding (specification 1.11) by hand, for the three schemas through which every line goes several times:
 * avsc makes an object of each value on the way. The tests compare the bytes with avsc's.
 */

/** Larger numbers are refused by avsc, which reads what others write here. */
const largestLong = 2 ** 52;
/** Of a string that is copied here, character by character: calling out costs more. */
const shortString = 24;

/** Writes values one after another into a buffer that grows. */
export class AvroWriter {
  #bytes = Buffer.allocUnsafe(2 ** 16);
  #at = 0;

  begin(header: Buffer): void {
    this.#at = header.copy(this.#bytes);
  }

  /** @throws RangeError for what is no integer, or beyond 2^52. */
  long(value: number): void {
    if (!Number.isInteger(value) || Math.abs(value) > largestLong)
      throw new RangeError(`${value} is no Avro long.`);
    this.#ensure(10);
    this.#at = writeVarint(this.#bytes, this.#at, value < 0 ? -2 * value - 1 : 2 * value);
  }

  string(text: string): void {
    const { length } = text;
    this.#ensure(10 + 3 * length);
    const bytes = this.#bytes;
    if (length <= shortString) {
      const at = this.#at;
      bytes[at] = 2 * length;
      for (let place = 0; ; place++) {
        if (place === length) {
          this.#at = at + 1 + length;
          return;
        }
        const code = text.charCodeAt(place);
        if (code > 0x7f) break;
        bytes[at + 1 + place] = code;
      }
    }
    // The length comes first and is known last: the text is moved where it needs more room than was guessed.
    const guess = sizeOfVarint(2 * length);
    const size = bytes.write(text, this.#at + guess, "utf8");
    const needed = sizeOfVarint(2 * size);
    if (needed !== guess) bytes.copyWithin(this.#at + needed, this.#at + guess, this.#at + guess + size);
    this.#at = writeVarint(bytes, this.#at, 2 * size) + size;
  }

  /** Of a union of null and another: what is written next, if any, is that. */
  union(isThere: boolean): void {
    this.#ensure(1);
    this.#bytes[this.#at++] = isThere ? 2 : 0;
  }

  optionalString(text: string | undefined): void {
    this.union(text !== undefined);
    if (text !== undefined) this.string(text);
  }

  array<T>(items: readonly T[], write: (item: T) => void): void {
    if (items.length > 0) {
      this.long(items.length);
      for (const item of items) write(item);
    }
    this.long(0);
  }

  /** What is encoded already, a character a byte. */
  raw(encoded: string): void {
    this.#ensure(encoded.length);
    this.#at += this.#bytes.write(encoded, this.#at, "latin1");
  }

  /** A copy of all since `begin`. */
  end(): Buffer {
    const copy = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(copy, 0, 0, this.#at);
    return copy;
  }

  #ensure(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#at + size));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Reads values one after another. @throws RangeError where the bytes end too early, or a length is impossible. */
export class AvroReader {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  long(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.at++] ?? ended();
    let value = byte & 0x7f;
    for (let weight = 0x80; byte >= 0x80; weight *= 0x80) {
      if (weight > 2 ** 63) throw new RangeError("A number has more bytes than a long.");
      byte = bytes[this.at++] ?? ended();
      value += (byte & 0x7f) * weight;
    }
    if (value > 2 * largestLong) throw new RangeError("A number is too large to be told exactly.");
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  string(): string {
    const size = this.#size();
    const begin = this.at;
    this.at += size;
    return this.#bytes.toString("utf8", begin, this.at);
  }

  skipString(): void {
    const size = this.#size();
    this.at += size;
  }

  /** Whether a union of null and another holds the other. */
  union(): boolean {
    const branch = this.long();
    if (branch !== 0 && branch !== 1) throw new RangeError(`A union has no branch ${branch}.`);
    return branch === 1;
  }

  optionalString(): string | undefined {
    return this.union() ? this.string() : undefined;
  }

  array<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let count = this.long(); count !== 0; count = this.long()) {
      // A block may say how many bytes it has.
      if (count < 0) this.long();
      for (let left = Math.abs(count); left > 0; left--) items.push(read());
    }
    return items;
  }

  /** What was encoded from there to here, a character a byte. */
  raw(from: number): string {
    return this.#bytes.toString("latin1", from, this.at);
  }

  assertEnd(): void {
    if (this.at !== this.#bytes.length) throw new RangeError("There is more than was to be read.");
  }

  #size(): number {
    const size = this.long();
    if (size < 0 || size > this.#bytes.length - this.at) ended();
    return size;
  }
}

function ended(): never {
  throw new RangeError("It ends too early.");
}

function sizeOfVarint(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** @returns where it ends. */
function writeVarint(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value;
  for (; rest >= 2 ** 28; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}
