/** What a person says of an anomaly, in one key press, and how it is taken back. */
import { button, fill, h, key } from "./dom.js";
import { createSayDialog } from "./parts/say-dialog.js";
import { dateTime, headline } from "./words.js";

const toastForMs = 12_000;

/** @typedef {"confirmed" | "false-alarm" | "undone"} Judgement */

/** @param {{ api: ReturnType<typeof import("./api.js").createApi>, store: ReturnType<typeof import("./store.js").createStore> }} deps */
export function createFeedback({ api, store }) {
  const toast = h("div", { class: "toast", role: "status", "aria-live": "polite" });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let hiding;
  /** What was said last, to be taken back. @type {any} */
  let newest;
  /** Keys are faster than answers, and each is about what those before it made. @type {Promise<unknown>} */
  let turn = Promise.resolve();

  /** @template T @param {() => Promise<T>} act */
  function inTurn(act) {
    const done = turn.then(act);
    turn = done;
    return done;
  }

  /** @param {...import("./dom.js").Child} children */
  function show(...children) {
    fill(toast, ...children);
    toast.classList.add("shown");
    clearTimeout(hiding);
    // It stays while somebody is at its button.
    hiding = setTimeout(function hide() {
      if (toast.matches(":hover, :focus-within")) hiding = setTimeout(hide, 1000);
      else toast.classList.remove("shown");
    }, toastForMs);
  }

  /**
   * @param {any} anomaly @param {Judgement} judgement @param {{ note?: string, until?: string }} [more]
   * @returns {Promise<boolean>} whether it is saved
   */
  async function tell(anomaly, judgement, more = {}) {
    // Taken back is also what may yet be saved.
    newest = anomaly;
    try {
      const { feedback } = await api.post(`anomalies/${anomaly.id}/feedback`, { judgement, ...more });
      if (judgement === "undone") newest = undefined;
      const held = store.get(anomaly.id);
      if (held !== undefined) store.put({ ...held, feedback });
      for (const listener of listeners) listener(anomaly.id, feedback);
      show(
        h(
          "span",
          {},
          h("strong", {}, told(judgement, feedback)),
          " ",
          h("span", { class: "quoted" }, headline(anomaly)),
        ),
        judgement !== "undone" &&
          button("Undo", () => void undo(anomaly), { class: "undo", "aria-keyshortcuts": "u" }),
      );
      return true;
    } catch (thrown) {
      const { message, status = 0 } = /** @type {Error & { status?: number }} */ (thrown);
      // Where Kafka or Redis is slow, the API answers in time, and goes on with what it was told.
      const isUnsure = status === 0 || status >= 500;
      show(
        h("strong", {}, isUnsure ? "It may yet be saved: look again in a while." : "Not saved."),
        ` ${message}`,
      );
      return false;
    }
  }

  /** @param {any} anomaly @param {Judgement} judgement @param {{ note?: string, until?: string }} [more] */
  const say = (anomaly, judgement, more) => inTurn(() => tell(anomaly, judgement, more));

  /** @param {(saidLast: any) => any} chosen none: the one last spoken of */
  const takeBack = (chosen) =>
    inTurn(async () => {
      const one = chosen(newest) ?? newest;
      if (one === undefined) show("There is nothing to take back.");
      else await tell(one, "undone");
    });
  /** @param {any} [anomaly] */
  const undo = (anomaly) => takeBack(() => anomaly);

  const dialog = createSayDialog(say);
  /** @type {Set<(id: string, feedback: any) => void>} */
  const listeners = new Set();
  return {
    toast,
    dialog: dialog.element,
    undo,
    takeBack,
    /** @param {(id: string, feedback: any) => void} listener */
    onSaid: (listener) => void listeners.add(listener),
    /** Keys of a view. @param {() => any} selected */
    keys(selected) {
      /** @param {(anomaly: any) => void} act */
      const ofSelected = (act) => () => {
        const one = selected();
        if (one !== undefined) return act(one);
        show("Nothing is selected: choose one with ", key("j"), " and ", key("k"), ".");
      };
      return {
        c: ofSelected((one) => void say(one, "confirmed")),
        f: ofSelected((one) => void say(one, "false-alarm")),
        F: ofSelected(dialog.open),
        u() {
          const one = selected();
          void takeBack(() => ((store.get(one?.id) ?? one)?.feedback ? one : undefined));
        },
      };
    },
  };
}

/** @param {Judgement} judgement @param {any} feedback */
function told(judgement, feedback) {
  if (judgement === "confirmed") return "Confirmed.";
  if (judgement === "undone") return "Taken back: as if nothing had been said.";
  const until = feedback?.until ?? null;
  return `False alarm: its fingerprint alerts nobody until ${until === null ? "" : `${dateTime(until)} UTC, or `}another bundle judges.`;
}
