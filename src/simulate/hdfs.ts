import { createRandom, type Random } from "./random.ts";

/** Kinds of fault, as the real logs show them. */
export const faults = ["write-failure", "lost-replicas", "corrupt-block", "redundant-block"] as const;
export type Fault = (typeof faults)[number];

export interface SimulatedLine {
  /** A raw HDFS log line, header and all. */
  text: string;
  /** Milliseconds since the epoch; the line itself shows whole seconds. */
  time: number;
  block: string;
}

export interface HdfsSimulation {
  lines: Iterable<SimulatedLine>;
  /** Blocks so far and what is wrong with them; null is a healthy block. */
  labels: ReadonlyMap<string, Fault | null>;
}

export interface SimulationOptions {
  /** Lines per second of log time. */
  rate: number;
  /** Share of blocks that are faulty, 0 to 1. */
  faultRate: number;
  seed: number;
  /** After about this many lines no block begins any more; those that live are told to their end. */
  lines: number;
  /** Log time of the first line; 9 November 2008 by default, as the real data. */
  start?: number;
}

/** Lines that a healthy block writes on average: what turns lines per second into blocks per second. */
const linesPerBlock = 17;

/** Raw log lines of HDFS block life cycles, many blocks side by side, with labelled faults. Equal seeds give equal lines. */
export function simulateHdfs(options: SimulationOptions): HdfsSimulation {
  const labels = new Map<string, Fault | null>();
  return { labels, lines: generate(options, labels) };
}

function* generate(options: SimulationOptions, labels: Map<string, Fault | null>): Generator<SimulatedLine> {
  const random = createRandom(options.seed);
  const betweenBlocksMs = (1000 * linesPerBlock) / options.rate;
  let nextBlock = options.start ?? Date.UTC(2008, 10, 9, 20, 35, 18);
  let waiting: SimulatedLine[] = [];
  for (let written = 0; written + waiting.length < options.lines; nextBlock += betweenBlocksMs) {
    const fault = random.chance(options.faultRate) ? random.pick(faults) : null;
    const life = lifeOfBlock(random, nextBlock, fault);
    labels.set(life[0]?.block ?? "", fault);
    waiting.push(...life);
    // Nothing earlier than the next block's first line can still be born.
    const next = nextBlock + betweenBlocksMs;
    const due = waiting.filter(({ time }) => time < next).sort((a, b) => a.time - b.time);
    waiting = waiting.filter(({ time }) => time >= next);
    written += due.length;
    yield* due;
  }
  yield* waiting.sort((a, b) => a.time - b.time);
}

function lifeOfBlock(random: Random, start: number, fault: Fault | null): SimulatedLine[] {
  const block = `blk_${random.chance(0.5) ? "-" : ""}${random.digits(18)}`;
  const lines: SimulatedLine[] = [];
  let time = start;
  const size = random.chance(0.7) ? 67108864 : random.below(67108864);
  const nodes = [0, 1, 2].map(() => `10.25${random.below(2)}.${random.below(20)}.${1 + random.below(250)}`);
  const node = (index: number) => nodes[index % 3] ?? "";
  const path = `/user/root/rand${random.below(9)}/_temporary/_task_200811092030_000${random.below(9)}_m_${random.digits(6)}_0/part-${random.digits(5)}`;

  const log = (level: string, component: string, message: string, afterMs = 20 + random.below(200)) => {
    time += afterMs;
    lines.push({
      block,
      time,
      text: `${stamp(time)} ${random.below(4000)} ${level} ${component}: ${message}`,
    });
  };
  const allocate = () =>
    log("INFO", "dfs.FSNamesystem", `BLOCK* NameSystem.allocateBlock: ${path}. ${block}`);
  const receiving = (index: number) =>
    log(
      "INFO",
      "dfs.DataNode$DataXceiver",
      `Receiving block ${block} src: /${node(index)}:${33000 + random.below(20000)} dest: /${node(index + 1)}:50010`,
    );
  const acknowledged = (index: number) => {
    log("INFO", "dfs.DataNode$PacketResponder", `PacketResponder ${index} for block ${block} terminating`);
    log(
      "INFO",
      "dfs.DataNode$PacketResponder",
      `Received block ${block} of size ${size} from /${node(index)}`,
      1,
    );
  };
  const stored = (index: number) =>
    log(
      "INFO",
      "dfs.FSNamesystem",
      `BLOCK* NameSystem.addStoredBlock: blockMap updated: ${node(index)}:50010 is added to ${block} size ${size}`,
    );
  const invalidated = (index: number) =>
    log(
      "INFO",
      "dfs.FSNamesystem",
      `BLOCK* NameSystem.delete: ${block} is added to invalidSet of ${node(index)}:50010`,
    );
  const deleting = () =>
    log("INFO", "dfs.FSDataset", `Deleting block ${block} file /mnt/hadoop/dfs/data/current/${block}`);
  const notInVolumeMap = () =>
    log(
      "WARN",
      "dfs.FSDataset",
      `Unexpected error trying to delete block ${block}. BlockInfo not found in volumeMap.`,
    );

  if (fault === "lost-replicas") {
    for (const step of random.chance(0.5) ? [allocate, () => receiving(0)] : [() => receiving(0), allocate])
      step();
    return lines;
  }
  if (fault === "write-failure") {
    const allocated = random.below(3);
    for (let step = 0; step < 3; step++) {
      if (step === allocated) allocate();
      else receiving(step);
    }
    const reason = "received exception java.io.IOException: Could not read from stream";
    log("INFO", "dfs.DataNode$DataXceiver", `writeBlock ${block} ${reason}`);
    return lines;
  }
  const allocated = random.pick([3, 3, 3, 1, 1, 2, 2]);
  for (let step = 0, sent = 0; step < 4; step++) {
    if (step === allocated) allocate();
    else receiving(sent++);
  }
  for (let index = 0; index < 3; index++) acknowledged(index);
  for (let index = 0; index < 3; index++) stored(index);
  if (fault === null && random.chance(0.4)) return lines;

  time += 1000 + random.below(2000);
  for (let index = 0; index < 3; index++) invalidated(index);
  const odd = fault === "corrupt-block" ? 1 + random.below(3) : -1;
  for (let index = 0; index < 3; index++) {
    deleting();
    if (index + 1 === odd) notInVolumeMap();
  }
  if (fault === "redundant-block") {
    const deleted = lines.pop();
    const unowned = `addStoredBlock request received for ${block} on ${node(0)}:50010 size ${size} But it does not belong to any file.`;
    log("INFO", "dfs.FSNamesystem", `BLOCK* NameSystem.addStoredBlock: ${unowned}`);
    stored(0);
    if (deleted !== undefined) deleting();
  }
  return lines;
}

/** `081109 203518`, in UTC. */
function stamp(time: number): string {
  const iso = new Date(time).toISOString();
  return `${iso.slice(2, 10).replaceAll("-", "")} ${iso.slice(11, 19).replaceAll(":", "")}`;
}
