import { LogGuardianError } from "../../../errors.ts";
import { baseToFetch, loadManifest } from "../../../model/bundle.ts";
import { pull } from "../../../model/pull.ts";
import { parseSource } from "../../../model/source.ts";

interface Options {
  sha256: string;
  out: string;
  as?: string;
}

export async function pullCommand(from: string, { sha256, out, as }: Options): Promise<void> {
  const wanted = sha256.toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(wanted)) {
    throw new LogGuardianError(
      "LG_USAGE",
      `--sha256 ${sha256} is not 64 hexadecimal digits.`,
      "Take it from whoever publishes the file, not from the server it lies on.",
    );
  }
  const show = createProgressShow();
  const pulled = await pull(parseSource(from, process.env), { sha256: wanted, out, as, onProgress: show });
  const words = pulled.already ? "is there already" : "is complete and its checksums are right";
  console.log(`${pulled.path} ${words}.`);
  if (pulled.kind === "file") return;
  const base = baseToFetch(pulled.path, await loadManifest(pulled.path));
  if (base !== undefined) console.log(`${base.message} ${base.remedy}`);
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

/** On a terminal one line that changes; elsewhere a line for every tenth of a file. */
function createProgressShow() {
  const shown = new Map<string, number>();
  return (name: string, received: number, total: number | undefined) => {
    const step = total === undefined || total === 0 ? 0 : Math.floor((10 * received) / total);
    const size = total === undefined ? "" : ` of ${megabytes(total)}`;
    const text = `${name}: ${megabytes(received)}${size} MB`;
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\u001b[K${text}${received === total ? "\n" : ""}`);
    } else if (shown.get(name) !== step) {
      shown.set(name, step);
      console.error(text);
    }
  };
}
