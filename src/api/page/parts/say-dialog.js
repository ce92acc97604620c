import { button, fill, h } from "../dom.js";
import { headline } from "../words.js";
import { createTimeField } from "./time-field.js";

/**
 * Says more of an anomaly than one key does: a note, and until when a false alarm holds.
 * @param {(anomaly: any, judgement: "confirmed" | "false-alarm", more: { note?: string, until?: string }) => Promise<boolean>} say
 */
export function createSayDialog(say) {
  /** @type {any} */
  let about;
  const quoted = h("p", { class: "mono quoted" });
  const note = h("input", { id: "say-note", maxlength: "2000", autocomplete: "off", autofocus: true });
  const until = createTimeField("say-until", { "aria-describedby": "say-until-help" });
  /** @param {string} value @param {string} label @param {boolean} isChosen */
  const choice = (value, label, isChosen) => {
    const input = h("input", {
      ...{ type: "radio", name: "judgement", id: `say-${value}`, value, checked: isChosen },
      onchange: () => showUntil(),
    });
    return { input, element: h("label", { for: `say-${value}` }, input, ` ${label}`) };
  };
  const falseAlarm = choice("false-alarm", "False alarm", true);
  const confirmed = choice("confirmed", "It is one: confirm it", false);
  const untilPart = h("div", {}, [
    h("label", { for: "say-until" }, "Until (UTC)"),
    until.input,
    h(
      "p",
      { class: "quiet", id: "say-until-help" },
      "From then on its fingerprint alerts again; not given, once another bundle judges.",
    ),
  ]);
  const form = h("form", {}, [
    h("h2", { id: "say-title" }, "Say more"),
    quoted,
    h("fieldset", {}, [
      h("legend", { class: "unseen" }, "What it is"),
      falseAlarm.element,
      confirmed.element,
    ]),
    h("label", { for: "say-note" }, "Note"),
    note,
    untilPart,
    h("div", { class: "actions" }, [
      button("Cancel", () => dialog.close()),
      h("button", { class: "primary" }, "Say it"),
    ]),
  ]);
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "say-title" }, form);

  function showUntil() {
    untilPart.hidden = confirmed.input.checked;
    until.input.disabled = confirmed.input.checked;
  }

  form.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    dialog.close();
    const [anomaly, ends, why] = [about, until.read(), note.value.trim()];
    const isSaid = await say(anomaly, confirmed.input.checked ? "confirmed" : "false-alarm", {
      ...(why === "" ? {} : { note: why }),
      ...(ends === undefined || until.input.disabled ? {} : { until: ends }),
    });
    // What is not saved still stands there, for another try.
    if (isSaid && about === anomaly) about = undefined;
  });

  return {
    element: dialog,
    /** @param {any} anomaly */
    open(anomaly) {
      if (about?.id !== anomaly.id) form.reset();
      about = anomaly;
      fill(quoted, headline(anomaly));
      until.allow({ from: new Date().toISOString() });
      showUntil();
      dialog.showModal();
    },
  };
}
