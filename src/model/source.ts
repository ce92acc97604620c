import { LogGuardianError } from "../errors.ts";

/** Where `model pull` gets something from, and what it is. */
export interface PullSource {
  url: URL;
  /**
   * `archive`: a packed bundle. `manifest`: a bundle whose files lie beside its manifest. `file`: one file, such as a base.
   */
  kind: "archive" | "manifest" | "file";
  /** Of the file or the bundle's folder. */
  name: string;
  headers: Record<string, string>;
}

/** The Hub's own names for its address and for whom one is there. */
export interface HubEnvironment {
  HF_ENDPOINT?: string | undefined;
  HF_TOKEN?: string | undefined;
}

const hubName = /^([\w.-]+\/[\w.-]+)(?:\/([^@]+))?@([^@/][^@]*)$/;
const archiveEnding = /\.(tar\.gz|tgz|tar)$/;

/**
 * An https URL, or a name on the Hub: `owner/name/file@revision`, `owner/name@revision` for a repository that is a bundle.
 * @throws LogGuardianError LG_USAGE.
 */
export function parseSource(text: string, environment: HubEnvironment): PullSource {
  const hub = text.includes("://") ? null : hubName.exec(text);
  if (hub === null) return sourceOf(parseUrl(text), text, {});
  const [, repository = "", path = "manifest.json", revision = ""] = hub;
  const endpoint = (environment.HF_ENDPOINT ?? "https://huggingface.co").replace(/\/+$/, "");
  const encoded = [
    repository,
    "resolve",
    encodeURIComponent(revision),
    path.split("/").map(encodeURIComponent).join("/"),
  ];
  const url = parseUrl(`${endpoint}/${encoded.join("/")}`);
  const { HF_TOKEN: token } = environment;
  // A token never travels in the clear.
  const headers = token && url.protocol === "https:" ? { authorization: `Bearer ${token}` } : {};
  const source = sourceOf(url, text, headers);
  return hub[2] === undefined ? { ...source, name: repository.split("/")[1] ?? repository } : source;
}

function sourceOf(url: URL, text: string, headers: Record<string, string>): PullSource {
  const parts = url.pathname
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
  const file = parts.at(-1) ?? "";
  if (file === "manifest.json")
    return { url, kind: "manifest", name: checkName(parts.at(-2) ?? "bundle", text), headers };
  if (archiveEnding.test(file))
    return { url, kind: "archive", name: checkName(file.replace(archiveEnding, ""), text), headers };
  return { url, kind: "file", name: checkName(file, text), headers };
}

/** Percent signs that encode nothing stay, and give no plain name. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The name under which something appears must not lead out of its folder. @throws LogGuardianError LG_USAGE. */
export function checkName(name: string, from: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new LogGuardianError(
    "LG_USAGE",
    `${from} gives no plain name for what is fetched.`,
    "Say one with --as, such as --as base.gguf.",
  );
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && isSafe(url)) return url;
  throw new LogGuardianError(
    "LG_USAGE",
    `${text} is neither an https URL nor a name on the Hub.`,
    "Write https://…/bundle.tar.gz, owner/name/file@revision, or owner/name@revision.",
  );
}

/** Nothing travels in the clear, unless it stays on this machine. */
export function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
