// Walks a page: exact rectangles, names as a person reads them, states. Evaluates to {width, height, elements, areas}; boxes in CSS pixels of
// the viewport. An element may say what the page's maker knows: data-kind, data-name, data-group, data-section.
(() => {
  const visible = (node) => {
    const style = getComputedStyle(node);
    return style.visibility !== "hidden" && style.display !== "none" && Number(style.opacity) > 0.02;
  };
  const rect = (node) => {
    const { left, top, right, bottom } = node.getBoundingClientRect();
    return [left, top, right, bottom];
  };
  const union = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
  const text = (node) => (node.innerText ?? node.textContent ?? "").replace(/\s+/g, " ").trim();
  const nameOf = (node) => {
    if (node.dataset.name !== undefined) return node.dataset.name;
    const label = node.labels?.[0];
    if (label) return text(label);
    return node.getAttribute("aria-label") ?? "";
  };
  const sectionOf = (node) => {
    const holder = node.closest("[data-section], fieldset");
    if (!holder) return "";
    return holder.dataset.section ?? (holder.querySelector("legend") ? text(holder.querySelector("legend")) : "");
  };
  const scrollerOf = (node) => {
    for (let up = node.parentElement; up; up = up.parentElement) {
      if (up === document.body || up === document.documentElement) return document.scrollingElement;
      const { overflowY } = getComputedStyle(up);
      if ((overflowY === "auto" || overflowY === "scroll") && up.scrollHeight > up.clientHeight + 1) return up;
      if (getComputedStyle(up).position === "fixed") return null;
    }
    return document.scrollingElement;
  };
  const areas = [];
  const areaIds = new Map();
  const areaOf = (node) => {
    const holder = scrollerOf(node);
    if (!holder || holder.scrollHeight <= holder.clientHeight + 1) return { area: null, clip: null };
    const whole = holder === document.scrollingElement;
    const box = whole ? [0, 0, innerWidth, innerHeight] : rect(holder);
    if (!areaIds.has(holder)) {
      areaIds.set(holder, `dom:${areas.length}`);
      const span = holder.scrollHeight - holder.clientHeight;
      areas.push({ id: areaIds.get(holder), box, position: holder.scrollTop / span, page: holder.clientHeight / holder.scrollHeight });
    }
    return { area: areaIds.get(holder), clip: box };
  };
  // The share of a grid of points where the element is what a click would reach.
  const shareOf = (node, box) => {
    let hits = 0;
    let asked = 0;
    for (const fx of [0.1, 0.3, 0.5, 0.7, 0.9])
      for (const fy of [0.2, 0.5, 0.8]) {
        const x = box[0] + (box[2] - box[0]) * fx;
        const y = box[1] + (box[3] - box[1]) * fy;
        if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) continue;
        asked++;
        const top = document.elementFromPoint(x, y);
        if (!top) continue;
        const label = node.labels?.[0];
        if (node === top || node.contains(top) || top.contains(node) || label === top || label?.contains(top) || label?.contains(node) && label.parentElement?.contains(top)) hits++;
      }
    return asked === 0 ? 1 : hits / asked;
  };
  const kindOf = (node) => {
    if (node.dataset.kind) return node.dataset.kind;
    const tag = node.tagName;
    const type = (node.getAttribute("type") ?? "").toLowerCase();
    const role = node.getAttribute("role");
    if (role === "tab") return "tab";
    if (role === "switch") return "switch";
    if (role === "menuitem") return "menuitem";
    if (role === "option") return "listitem";
    if (tag === "INPUT") {
      if (type === "checkbox") return "check";
      if (type === "radio") return "radio";
      if (type === "range") return "slider";
      if (type === "number") return "spin";
      if (["submit", "button", "reset"].includes(type)) return "button";
      if (["hidden", "file", "color", "image"].includes(type)) return null;
      return "field";
    }
    if (tag === "TEXTAREA") return "field";
    if (tag === "SELECT") return "combo";
    if (tag === "BUTTON") return "button";
    if (tag === "A") return "link";
    if (tag === "TH") return "header";
    if (tag === "TD") return "cell";
    if (/^H[1-4]$/.test(tag)) return "heading";
    if (tag === "PROGRESS") return "progress";
    if (["P", "LABEL", "LEGEND", "SPAN", "LI", "DT", "DD"].includes(tag)) return "label";
    return null;
  };
  const elements = [];
  for (const node of document.body.querySelectorAll("*")) {
    const kind = kindOf(node);
    if (!kind || !visible(node) || node.closest("[hidden]")) continue;
    let box = rect(node);
    const label = node.labels?.[0];
    const native = node.matches("input, select, textarea");
    if (kind === "label" && node.tagName === "LABEL" && node.querySelector("input")) continue;
    if (kind === "label" && node.tagName === "LABEL" && node.control && ["checkbox", "radio"].includes(node.control.type)) continue;
    if (kind === "label" && node.parentElement.closest("button, a, label, td, th, [role], [data-kind]")) continue;
    if (kind === "label" && node.querySelector("input, button, select, textarea, a")) continue;
    if (kind === "cell" && node.querySelector("input, button, a")) continue;
    const name = native ? nameOf(node) : (node.dataset.name ?? text(node));
    const element = { kind, name, box, section: sectionOf(node), ...areaOf(node) };
    if (["check", "radio", "switch"].includes(kind)) {
      element.indicator = node.dataset.indicator ? rect(document.querySelector(node.dataset.indicator)) : box;
      if (label) element.box = box = union(element.indicator, rect(label));
      element.checked = native ? node.checked : node.getAttribute("aria-checked") === "true";
    } else if (label && native) element.label_box = rect(label);
    if (box[2] - box[0] < 2 || box[3] - box[1] < 2) continue;
    if (kind === "field" || kind === "spin") {
      element.value = node.value;
      if (!node.value && node.placeholder) element.placeholder = node.placeholder;
      if (node.readOnly) element.editable = false;
      if (node.tagName === "TEXTAREA") element.multiline = true;
      if (node.type === "password") element.password = true;
    }
    if (kind === "combo") {
      element.value = native ? (node.selectedOptions[0] ? text(node.selectedOptions[0]) : "") : text(node).replace(/[▾▼⌄]$/, "").trim();
      element.name = nameOf(node);
      element.editable = false;
      element.options = native ? [...node.options].map((option) => option.text.trim()) : [];
      element.opened = node.getAttribute("aria-expanded") === "true";
      if (node.dataset.placeholder) element.value = "";
    }
    if (kind === "slider") {
      Object.assign(element, { value: node.value, minimum: Number(node.min), maximum: Number(node.max), name: nameOf(node) });
      const at = (Number(node.value) - element.minimum) / (element.maximum - element.minimum);
      const x = box[0] + 8 + at * (box[2] - box[0] - 16);
      element.indicator = [x - 8, (box[1] + box[3]) / 2 - 8, x + 8, (box[1] + box[3]) / 2 + 8];
    }
    if (kind === "progress") element.value = `${Math.round((node.value / node.max) * 100)}%`;
    if (kind === "button" && node.tagName === "INPUT") element.name = node.value;
    if (kind === "button" && !element.name) element.hint = node.getAttribute("aria-label") ?? node.title ?? "";
    if (kind === "cell") Object.assign(element, { row: node.parentElement.rowIndex - 1, column: node.cellIndex, section: text(node.closest("table").rows[0].cells[node.cellIndex] ?? node) });
    if (kind === "listitem" && node.parentElement) element.row = [...node.parentElement.children].indexOf(node);
    if (node.dataset.group || node.name && kind === "radio") element.group = node.dataset.group ?? node.name;
    if (["menu"].includes(kind) && node.getAttribute("aria-expanded") === "true") element.opened = element.selected = true;
    if (node.getAttribute("aria-selected") === "true") element.selected = true;
    if (node.disabled || node.getAttribute("aria-disabled") === "true") element.enabled = false;
    if (node === document.activeElement && document.hasFocus()) element.focused = true;
    if (["label", "heading", "button", "link", "listitem", "cell", "header", "tab", "menu", "menuitem"].includes(kind) && !element.name && !element.hint) continue;
    element.share = shareOf(node, box);
    if (node.closest("[role=dialog]")) element.inner = true;
    elements.push(element);
  }
  const dialog = [...document.querySelectorAll("[role=dialog]")].find(visible);
  const inner = dialog ? { title: dialog.getAttribute("aria-label") ?? text(dialog.querySelector("h1, h2, h3, h4") ?? dialog), box: rect(dialog), role: dialog.dataset.role ?? "dialog" } : null;
  return { inner, width: innerWidth, height: innerHeight, title: document.title, active: document.hasFocus(), elements, areas };
})();
