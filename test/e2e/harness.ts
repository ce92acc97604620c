import { startServices } from "../../scripts/services.mjs";
import { Stream } from "../support/stream.ts";

/** Runs `body` with services of its own; the process ends with 1 when it throws. */
export async function endToEnd(
  name: string,
  body: (stream: Stream, services: Awaited<ReturnType<typeof startServices>>) => Promise<void>,
): Promise<never> {
  const services = await startServices();
  const stream = new Stream(services);
  try {
    await body(stream, services);
    await stream.stop();
    console.log(`${name}: everything holds.`);
  } catch (thrown) {
    console.error(`${name} fails: ${thrown instanceof Error ? thrown.message : thrown}`);
    console.error(`Logs of the processes: ${stream.folder}`);
    process.exitCode = 1;
    await stream.abandon();
  }
  await services.stop();
  process.exit();
}
