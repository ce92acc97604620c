/** What is said where there is nothing to show, and what to do next. */

import { authorization } from "../commands.js";
import { button, h } from "../dom.js";
import { createCommand } from "./command.js";

/** @param {Error} error @param {() => void} again @param {"h1" | "h2"} [heading] the first of a view that shows nothing else */
export function failed(error, again, heading = "h2") {
  return h(
    "section",
    { class: "state", role: "alert" },
    h(heading, {}, "This could not be loaded"),
    h("p", {}, error.message),
    button("Try again", again, { class: "primary" }),
  );
}

/** @param {string} what */
export function loading(what) {
  return h("p", { class: "state quiet", role: "status" }, what);
}

/** @param {import("../app.js").Page} page */
export function nothing(page) {
  if (Object.keys(page.place().filter).length > 0)
    return h(
      "section",
      { class: "state" },
      h("h2", {}, "Nothing matches this filter"),
      h("p", {}, "There may be anomalies of other times, pipelines or origins."),
      button("Clear filters", () => page.go({ view: page.place().view, filter: {} }), { class: "primary" }),
    );
  const token = page.api.hasToken() ? authorization : "";
  const logs = [
    { message: "Receiving block blk_1 src: /10.0.0.1:4000 dest: /10.0.0.2:50010", source: "node-1" },
    {
      message: "writeBlock blk_1 received exception java.io.IOException: Could not read from stream",
      source: "node-1",
    },
  ];
  return h(
    "section",
    { class: "state" },
    h("h2", {}, "No anomalies yet"),
    h(
      "p",
      {},
      "What is found stands here the moment it is found. Send it two lines that are anomalous and see:",
    ),
    createCommand(
      "Try it",
      `curl${token} -H 'content-type: application/json' ${new URL("detect", document.baseURI).href} -d '${JSON.stringify({ logs, window_size: 2 })}'`,
    ),
    h("p", {}, "Or read your own logs from Kafka: describe them in logguardian.yaml, then"),
    createCommand("Start all roles", "logguardian start"),
  );
}
