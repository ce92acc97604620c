import { h } from "../dom.js";

/** A year is typed digit by digit: 0002 is none yet. */
const earliest = "1970-01-01T00:00";
const latest = "9999-12-31T23:59:59";

/** The browser's own field for a date and a time; in UTC, as all times here. @param {string} id @param {Record<string, any>} [attributes] */
export function createTimeField(id, attributes = {}) {
  const input = h("input", { id, type: "datetime-local", step: "1", ...attributes });
  const field = {
    input,
    /** @returns {string | undefined} none where nothing, or no whole time, stands there */
    read: () => (input.value === "" ? undefined : new Date(`${input.value}Z`).toISOString()),
    /** @param {string | undefined} time */
    write(time) {
      input.value = local(time) ?? "";
    },
    /** Others are not valid. @param {{ from?: string | undefined, to?: string | undefined }} range */
    allow({ from, to }) {
      input.min = local(from) ?? earliest;
      input.max = local(to) ?? latest;
    },
  };
  field.allow({});
  return field;
}

/** @param {string | undefined} time */
const local = (time) => (time === undefined ? undefined : new Date(time).toISOString().slice(0, 19));
