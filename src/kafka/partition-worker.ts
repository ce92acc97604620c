import { setTimeout as sleep } from "node:timers/promises";
import type { RawRecord } from "../ingest/line.ts";
import type { Committed } from "./topics.ts";

/** What is handed to a worker at once: between two slices a rebalance or the end is noticed, and progress seen. */
const sliceRecords = 256;
const sliceBytes = 2 ** 20;
/** Of a pause: a rebalance or the end is noticed in between. */
const longestSleepMs = 1000;
/** What a record weighs beside its key and value. */
const recordOverhead = 200;

/** The owner of one partition between two rebalances. Its calls never overlap. */
export interface PartitionWorker {
  /** Offset to read on from. */
  position: number;
  /** Records, and bytes of them, that it takes at once, at most. */
  maxRecords?: number;
  maxBytes?: number;
  /** Takes records in, in order. When it returns, their effects are durable. */
  process(records: readonly RawRecord[]): Promise<void>;
  /** How long to wait before more is processed, asked again after at most a second. 0 where it may go on. */
  pauseMs?(): number;
  /** Twice a second while nothing is processed; `end` is where the log ended when last heard of. */
  tick?(state: { position: number; end: number }): Promise<void>;
  /** Everything below may be forgotten by the broker. */
  commitPoint(): Committed;
  /** That point stands committed. */
  committed?(point: Committed): void;
}

export interface PartitionEvents {
  isFull(bytes: number): boolean;
  pause(): void;
  resume(): void;
  progress(): void;
  /** @param failures how many there were before, without a record getting through. */
  failed(thrown: unknown, failures: number): void;
  /** The log went on at `to` where `from` was expected. */
  lost(from: number, to: number): void;
  /** The log begins again below what was read of it: it was made anew, and kafkajs has gone to its start. */
  rewound(): void;
}

/** The records of one partition on their way through its worker. */
export class OwnedPartition {
  bytes = 0;
  /** Read and not yet processed. */
  records = 0;
  /** As its worker asks for; nothing is to be done meanwhile. */
  isPausing = false;
  readonly worker: PartitionWorker;
  /** The commit point before anything was done. */
  readonly begun: Committed;
  readonly #on: PartitionEvents;
  #waiting: RawRecord[] = [];
  #processed: number;
  #expected: number;
  #end: number;
  #failures: number;
  #running: Promise<void> | undefined;
  #paused = false;
  #revoked = false;
  /** Whether a batch was taken: none that was fetched before can come any more. */
  #hasBegun = false;

  constructor(position: number, end: number, worker: PartitionWorker, failures: number, on: PartitionEvents) {
    this.worker = worker;
    this.begun = worker.commitPoint();
    this.#processed = position;
    this.#expected = position;
    this.#end = end;
    this.#failures = failures;
    this.#on = on;
  }

  /** @param last offset of what was fetched: behind the records there may be marks of transactions. */
  push(records: readonly RawRecord[], end: number, last = records.at(-1)?.offset ?? -1): void {
    if (this.#revoked) return;
    this.#end = end;
    const isBelow = (records.at(-1)?.offset ?? this.#expected) < this.#expected;
    if (end < this.#expected || (isBelow && this.#hasBegun)) {
      void this.revoke();
      this.#on.rewound();
      return;
    }
    // After a seek a batch that was fetched before may still come.
    const fresh = records.filter(({ offset }) => offset >= this.#expected);
    const [first] = fresh;
    if (first === undefined) return;
    if (first.offset > this.#expected) this.#on.lost(this.#expected, first.offset);
    this.#expected = Math.max(last, fresh.at(-1)?.offset ?? last) + 1;
    this.records += fresh.length;
    this.#hasBegun = true;
    for (const record of fresh) {
      this.#waiting.push(record);
      this.bytes += bytesOf(record);
    }
    if (!this.#paused && this.#on.isFull(this.bytes)) {
      this.#paused = true;
      this.#on.pause();
    }
    this.#run(() => this.#processAll());
  }

  /** The log goes on behind `last` without a record for us: marks of transactions, or what was rolled back. */
  pass(last: number): void {
    if (this.#revoked || last < this.#expected) return;
    this.#end = Math.max(this.#end, last + 1);
    this.#expected = last + 1;
    if (this.records === 0) this.#processed = this.#expected;
  }

  tick(): void {
    this.#run(async () => this.worker.tick?.({ position: this.#expected, end: this.#end }));
  }

  lag(): number {
    return Math.max(0, this.#end - this.#processed);
  }

  /** Takes no more, drops what waits, and resolves when what is being processed has ended. */
  async revoke(): Promise<void> {
    this.#revoked = true;
    this.#waiting = [];
    await this.#running;
  }

  #run(step: () => Promise<void>): void {
    if (this.#running !== undefined || this.#revoked) return;
    this.#running = step()
      .catch((thrown) => {
        if (this.#revoked) return;
        this.#revoked = true;
        this.#on.failed(thrown, this.#failures);
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#waiting.length > 0) this.#run(() => this.#processAll());
      });
  }

  /** The next of what waits. */
  #slice(): RawRecord[] {
    const { maxRecords = sliceRecords, maxBytes = sliceBytes } = this.worker;
    let [count, bytes] = [0, 0];
    for (const record of this.#waiting) {
      bytes += bytesOf(record);
      if (count === maxRecords || (count > 0 && bytes > maxBytes)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  /** A pause that the worker asks for is no standstill. */
  async #pause(): Promise<void> {
    for (;;) {
      const pauseMs = this.#revoked ? 0 : (this.worker.pauseMs?.() ?? 0);
      this.isPausing = pauseMs > 0;
      if (!this.isPausing) return;
      await sleep(Math.min(pauseMs, longestSleepMs));
      this.#on.progress();
    }
  }

  async #processAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#pause();
      if (this.#revoked) return;
      const records = this.#slice();
      await this.worker.process(records);
      this.#failures = 0;
      this.#processed = (records.at(-1)?.offset ?? -1) + 1;
      if (this.#waiting.length === 0) this.#processed = this.#expected;
      this.records -= records.length;
      for (const record of records) this.bytes -= bytesOf(record);
      this.#on.progress();
      if (this.#paused && !this.#revoked && !this.#on.isFull(2 * this.bytes)) {
        this.#paused = false;
        this.#on.resume();
      }
    }
  }
}

function bytesOf({ key, value }: RawRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + recordOverhead;
}
