import { existsSync } from "node:fs";
import { mkdir, open, rename, rm, stat, statfs } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { LogGuardianError, reasonOf } from "../errors.ts";
import { retry } from "../retry.ts";
import { sha256Of } from "./sha256.ts";
import { isSafe } from "./source.ts";

/** `total` is undefined where the server does not say. */
export type OnProgress = (name: string, received: number, total: number | undefined) => void;

export interface DownloadOptions {
  /** Of the whole file. */
  sha256: string;
  /** Bytes that it may have at most; else what the server says that it has. */
  most?: number | undefined;
  headers: Record<string, string>;
  onProgress: OnProgress;
}

/** Of a file whose length nobody says: no server shall fill the disk. */
const mostOfUnknown = 16 * 2 ** 30;
const mostRedirects = 10;

/** Tries in a row that bring no byte before it is given up. */
const fruitlessTries = 5;

/** An answer that may be better next time. */
class Interrupted extends Error {}

/**
 * Fetches a file to `target`, where it appears when its checksum is right and not before. What arrived before an
 * interruption, of this process or an earlier one, is kept beside it and not fetched again where the server knows ranges.
 * @throws LogGuardianError LG_PULL_NOT_FOUND, LG_PULL_DENIED, LG_PULL_REFUSED, LG_PULL_UNREACHABLE, LG_PULL_REDIRECT,
 *   LG_PULL_SPACE, LG_PULL_SIZE, LG_PULL_CHECKSUM.
 */
export async function download(url: URL, target: string, options: DownloadOptions): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  // The checksum in its name: the beginning of another version is never continued.
  const partial = `${target}.${options.sha256.slice(0, 12)}.partial`;
  const continued = existsSync(partial);
  await receiveAll(url, partial, basename(target), options);
  let found = await sha256Of(partial);
  if (found !== options.sha256 && continued) {
    // What an earlier process left may be damaged; the server's own bytes have the last word.
    await rm(partial);
    await receiveAll(url, partial, basename(target), options);
    found = await sha256Of(partial);
  }
  if (found !== options.sha256) {
    await rm(partial, { force: true });
    throw new LogGuardianError(
      "LG_PULL_CHECKSUM",
      `${url} has the sha256 ${found} where ${options.sha256} was asked for; nothing of it is kept.`,
      "Check the address and the checksum; if both are right, do not trust the file.",
    );
  }
  await rename(partial, target);
}

/** Tries until the server has no more to give. */
async function receiveAll(url: URL, partial: string, name: string, options: DownloadOptions): Promise<void> {
  let fruitless = 0;
  let arrived = 0;
  const count = (bytes: number) => {
    arrived += bytes;
    fruitless = 0;
  };
  try {
    await retry(() => receive(url, partial, name, options, count), {
      isTransient: (thrown) => thrown instanceof Interrupted && ++fruitless < fruitlessTries,
    });
  } catch (thrown) {
    if (!(thrown instanceof Interrupted)) throw thrown;
    const kept = arrived > 0 ? " What has arrived is kept: run this again to go on from there." : "";
    throw new LogGuardianError(
      "LG_PULL_UNREACHABLE",
      `${url} cannot be fetched: ${thrown.message}.`,
      `Check the address and the way to it.${kept}`,
      thrown,
    );
  }
}

/** One try: goes on at the end of `partial`. */
async function receive(
  url: URL,
  partial: string,
  name: string,
  { headers, most, onProgress }: DownloadOptions,
  count: (bytes: number) => void,
): Promise<void> {
  let have = await stat(partial).then(
    ({ size }) => size,
    () => 0,
  );
  const range = have > 0 ? { range: `bytes=${have}-` } : {};
  const response = await request(url, { ...range, "accept-encoding": "identity" }, headers);
  if (response.status === 416) {
    await response.body?.cancel();
    // Nothing is left to fetch, or what is here is longer than the file: the checksum tells which.
    return;
  }
  if (response.status !== 200 && response.status !== 206) {
    await response.body?.cancel();
    throw refusal(url, response.status);
  }
  const continues =
    response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${have}-`);
  if (!continues) have = 0;
  if (response.status === 206 && !continues) {
    await response.body?.cancel();
    await rm(partial, { force: true });
    throw new Interrupted("the server answered with another range than the one asked for");
  }
  const length = response.headers.get("content-length");
  const total = length === null ? undefined : have + Number(length);
  const limit = most ?? total ?? mostOfUnknown;
  if (total !== undefined && total > limit) {
    await response.body?.cancel();
    throw await tooLong(url, partial, limit);
  }
  if (total !== undefined) await assertSpace(dirname(partial), total - have, name);
  onProgress(name, have, total);
  const file = await open(partial, have > 0 ? "a" : "w");
  try {
    for await (const chunk of bodyOf(response)) {
      if (have + chunk.length > limit) throw await tooLong(url, partial, limit);
      await file.appendFile(chunk).catch((thrown) => {
        throw thrown.code === "ENOSPC" ? noSpace(dirname(partial), name, thrown) : thrown;
      });
      have += chunk.length;
      count(chunk.length);
      onProgress(name, have, total);
    }
  } finally {
    await file.close();
  }
  if (total !== undefined && have < total) throw new Interrupted("the connection ended too early");
}

/**
 * Follows redirects, but none that leads into the clear, and tells the `secret` headers to no other server.
 * @throws LogGuardianError LG_PULL_REDIRECT.
 */
async function request(
  url: URL,
  headers: Record<string, string>,
  secret: Record<string, string>,
): Promise<Response> {
  let at = url;
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const own = at.origin === url.origin ? secret : {};
    const response = await fetch(at, { headers: { ...headers, ...own }, redirect: "manual" }).catch(
      (thrown) => {
        throw interrupted(thrown);
      },
    );
    const location = response.headers.get("location");
    if (location === null || response.status < 300 || response.status > 399) return response;
    await response.body?.cancel();
    at = redirected(at, location);
  }
  throw refusedRedirect(url, `more than ${mostRedirects} times`);
}

/** Where a redirect leads. @throws LogGuardianError LG_PULL_REDIRECT. */
function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (to !== undefined && isSafe(to) && (to.protocol === "https:" || from.protocol === "http:")) return to;
  throw refusedRedirect(from, `to ${location}, which is no https URL`);
}

function refusedRedirect(url: URL, how: string): LogGuardianError {
  return new LogGuardianError(
    "LG_PULL_REDIRECT",
    `${url} redirects ${how}.`,
    "Give the address at which the file lies.",
  );
}

/** The body as it arrives; whatever the network does to it is an interruption. */
async function* bodyOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  for (;;) {
    const step = await reader?.read().catch((thrown) => {
      throw interrupted(thrown);
    });
    if (step === undefined || step.done) return;
    yield step.value;
  }
}

/** A network's fault, with the reason that `fetch` hides in its cause. */
function interrupted(thrown: unknown): Interrupted {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  return new Interrupted(reasonOf(cause) || String((cause as NodeJS.ErrnoException).code), { cause: thrown });
}

function refusal(url: URL, status: number): Error {
  if (status === 408 || status === 429 || status >= 500)
    return new Interrupted(`the server answered ${status}`);
  if (status === 404 || status === 410) {
    return new LogGuardianError(
      "LG_PULL_NOT_FOUND",
      `There is nothing at ${url}: the server answered ${status}.`,
      "Check the address, or the name and its revision.",
    );
  }
  if (status === 401 || status === 403) {
    return new LogGuardianError(
      "LG_PULL_DENIED",
      `${url} may not be fetched: the server answered ${status}.`,
      "For a model on the Hub that asks for consent, give it there and set HF_TOKEN.",
    );
  }
  return new LogGuardianError(
    "LG_PULL_REFUSED",
    `${url} cannot be fetched: the server answered ${status}.`,
    "Check the address.",
  );
}

/** Nothing of it is kept: it is not what was asked for. */
async function tooLong(url: URL, partial: string, limit: number): Promise<LogGuardianError> {
  await rm(partial, { force: true });
  return new LogGuardianError(
    "LG_PULL_SIZE",
    `${url} has more than the ${limit} bytes that it may have; nothing of it is kept.`,
    "Check the address; if it is right, do not trust the file.",
  );
}

async function assertSpace(folder: string, needed: number, name: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < needed) throw noSpace(folder, name, undefined, needed, bavail * bsize);
}

function noSpace(
  folder: string,
  name: string,
  cause: unknown,
  needed?: number,
  free?: number,
): LogGuardianError {
  const numbers =
    needed === undefined || free === undefined ? "" : `: ${needed} bytes are needed, ${free} are free`;
  return new LogGuardianError(
    "LG_PULL_SPACE",
    `There is no room for ${name} in ${folder}${numbers}.`,
    "Make room, or choose another folder with --out.",
    cause,
  );
}
