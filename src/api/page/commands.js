/** What to type next: each command is complete, and safe to paste whatever the names are. */

/**
 * @param {any} anomaly with its document
 * @param {{ url: string, hasToken: boolean }} api of which the shell may ask
 */
export function commandsFor(anomaly, { url, hasToken }) {
  const { id, pipeline, fingerprint, replay } = anomaly;
  const offsets = offsetsOf(anomaly.document.logguardian.lines);
  const explain = { label: "Explain", note: "each line's weight, and which lines suffice" };
  // What came by POST /detect stands on no topic, and alerted nobody.
  if (offsets === undefined)
    return [
      {
        ...explain,
        command: `curl -s${hasToken ? authorization : ""} ${quoted(`${url}anomalies/${id}`)} | jq -c .document | logguardian explain -`,
      },
    ];
  const found = [
    {
      label: "Replay",
      note: "judges the same records again, beside the live pipeline",
      command: `logguardian replay --pipeline ${quoted(livePipeline(pipeline))} --label again-${id.slice(0, 8)} --offsets ${quoted(offsets)}`,
    },
    { ...explain, command: `logguardian explain ${id}` },
  ];
  if (fingerprint !== null)
    found.push({
      label: "Silence",
      note: "no notification of it for two hours",
      command: [
        `amtool silence add --duration=2h --comment=${quoted(`LogGuardian ${id}`)} alertname=LogAnomaly`,
        `pipeline=${quoted(pipeline)} fingerprint=${quoted(fingerprint)}`,
        ...(replay === undefined ? [] : [`replay=${quoted(replay)}`]),
      ].join(" "),
    });
  return found;
}

/** The shell has the token, this command has not. */
export const authorization = ' -H "authorization: Bearer $LOGGUARDIAN_API_TOKEN"';

/** A replay's pipeline is named after the live one. @param {string} pipeline */
function livePipeline(pipeline) {
  return pipeline.split(".replay.")[0] ?? pipeline;
}

/** Topic, partition, first and last offset of the window's records; none where they came by POST /detect. @param {any[]} lines */
export function offsetsOf(lines) {
  /** @type {Map<string, [number, number]>} */
  const ranges = new Map();
  for (const { position } of lines) {
    const [, source, offset] = /^(.*:\d+):(\d+):\d+$/.exec(position) ?? [];
    if (source === undefined || source.startsWith("detect-")) return undefined;
    const at = Number(offset);
    const [first, last] = ranges.get(source) ?? [at, at];
    ranges.set(source, [Math.min(first, at), Math.max(last, at)]);
  }
  return [...ranges].map(([source, [first, last]]) => `${source}:${first}-${last}`).join(",");
}

/** For a POSIX shell. @param {string} text */
export function quoted(text) {
  return /^[\w.:,@%+=/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
