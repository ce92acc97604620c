/**
 * Elements. A child that is no element becomes a text node: nothing here reads HTML, whatever a log line says.
 * @typedef {Node | string | number | false | null | undefined} Child
 */

/**
 * @param {string} tag
 * @param {Record<string, any>} [attributes] functions are listeners (`onclick`); `style` holds custom properties.
 * @param {...(Child | Child[])} children
 * @returns {any}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false || value === null) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "style")
      for (const [property, one] of Object.entries(value)) element.style.setProperty(property, String(one));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  return fill(element, ...children);
}

/**
 * Replaces what an element holds.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren(
    ...children
      .flat()
      .filter((child) => child !== false && child !== null && child !== undefined)
      .map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))),
  );
  return element;
}

/**
 * Likewise, where somebody may be at one of its links or buttons: the focus goes to the one that has its `data-at`, else
 * to the first.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function refill(element, ...children) {
  const at = document.activeElement;
  const hadFocus = element.contains(at) && at !== element;
  fill(element, ...children);
  if (!hadFocus) return element;
  const focusable = /** @type {HTMLElement[]} */ ([...element.querySelectorAll("[data-at]")]);
  (
    focusable.find((one) => one.dataset.at === /** @type {HTMLElement} */ (at).dataset.at) ?? focusable[0]
  )?.focus();
  return element;
}

/** @param {string} label @param {() => void} onclick @param {Record<string, any>} [attributes] */
export function button(label, onclick, attributes = {}) {
  return h("button", { type: "button", onclick, ...attributes }, label);
}

/** A key as it is named on the keyboard. @param {string} name */
export function key(name) {
  return h("kbd", {}, name);
}
