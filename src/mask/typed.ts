/**
 * The typed profile: a variable becomes the name of its kind. Most specific first; at equal position the first of
 * this list wins. No nested quantifier: each pattern is linear in the text it looks at.
 */
export const typedVariables: readonly { token: string; pattern: string }[] = [
  { token: "<URL>", pattern: "\\b[a-zA-Z][a-zA-Z0-9+.\\-]{1,15}://[^\\s\"'<>]+" },
  {
    token: "<UUID>",
    pattern: "\\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\\b",
  },
  {
    token: "<TIMESTAMP>",
    pattern:
      "\\b\\d{4}[-/.]\\d{2}[-/.]\\d{2}(?:[T -]\\d{2}[:.]\\d{2}[:.]\\d{2}(?:[.,]\\d{1,9})?(?:Z|[+-]\\d{2}:?\\d{2})?)?\\b" +
      "|\\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\\d{1,2} \\d{2}:\\d{2}:\\d{2}\\b" +
      "|\\b\\d{2}:\\d{2}:\\d{2}(?:[.,]\\d{1,9})?\\b",
  },
  { token: "<IP>", pattern: "\\b\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}(?::\\d{1,5})?\\b" },
  {
    token: "<HEX>",
    pattern: "\\b0[xX][0-9a-fA-F]+\\b|\\b(?=[a-fA-F]*\\d)(?=\\d*[a-fA-F])[0-9a-fA-F]{8,64}\\b",
  },
  // A path starts a word or follows a space, quote, bracket or equals sign: "read/write" is no path.
  { token: "<PATH>", pattern: "(?<![^\\s\"'(\\[=:,])(?:[a-zA-Z]:)?[/\\\\][^\\s\"'<>()\\[\\],;:]+" },
  { token: "<NUM>", pattern: "(?<![a-zA-Z])[-+]?\\d+(?:\\.\\d+)?(?![a-zA-Z])|\\d+" },
];
