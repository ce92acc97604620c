import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline, Readable } from "node:stream";

export interface ServedFile {
  content?: Buffer;
  /** Answers with this status and nothing else. */
  status?: number;
  /** Sends the client elsewhere. */
  redirect?: string;
  /** Knows no ranges: always the whole file. */
  wholeOnly?: boolean;
  /** The body stops after so many bytes and the connection stays open. */
  stallAfter?: number;
  /** Says no length, and the content comes again and again. */
  endless?: boolean;
  /** What the answer claims to be the length. */
  claimedLength?: number;
}

export interface FileServer {
  url: string;
  /** By path, from `/`; may be changed while it serves. */
  files: Map<string, ServedFile>;
  /** Every request so far. */
  requests: { path: string; range: string | undefined; authorization: string | undefined }[];
  breakConnections(): void;
  close(): Promise<void>;
}

/** An HTTP server on a free port that knows ranges, as servers of models do, and fails as it is told. */
export async function startFileServer(): Promise<FileServer> {
  const files = new Map<string, ServedFile>();
  const requests: FileServer["requests"] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const { range, authorization } = request.headers;
    requests.push({ path, range, authorization });
    const file = files.get(path);
    if (file === undefined || file.status !== undefined) {
      response.writeHead(file?.status ?? 404).end();
      return;
    }
    if (file.redirect !== undefined) {
      response.writeHead(302, { location: file.redirect }).end();
      return;
    }
    const content = file.content ?? Buffer.alloc(0);
    if (file.endless) {
      pipeline(Readable.from(again(content)), response, () => undefined);
      return;
    }
    const from = file.wholeOnly ? 0 : firstByte(request);
    if (from > 0 && from >= content.length) {
      response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
      return;
    }
    const rest = content.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": file.claimedLength ?? rest.length,
      ...(from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
    });
    if (file.stallAfter !== undefined) {
      response.write(rest.subarray(0, file.stallAfter));
    } else {
      response.end(rest);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    files,
    requests,
    breakConnections: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function* again(content: Buffer): Generator<Buffer> {
  for (;;) yield content;
}

function firstByte({ headers }: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
}
