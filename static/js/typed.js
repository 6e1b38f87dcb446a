// What somebody types while htmx waits for an answer stays when the answer replaces the fields.
const TYPED = "input[id]:not([type=hidden], [type=radio], [type=checkbox], [type=file], [type=password]), textarea[id]";

export function wireTyped() {
  const before = new WeakMap();
  const since = new WeakMap();
  const fields = (target) => [...(target?.querySelectorAll?.(TYPED) ?? [])];
  document.addEventListener("htmx:beforeRequest", (event) => {
    before.set(event.detail.xhr, new Map(fields(event.detail.target).map((field) => [field.id, field.value])));
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const sent = before.get(event.detail.xhr);
    if (sent) since.set(event.detail.xhr, fields(event.detail.target).filter((field) => sent.has(field.id) && sent.get(field.id) !== field.value));
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    for (const typed of since.get(event.detail.xhr) ?? []) {
      const field = document.getElementById(typed.id);
      if (field) field.value = typed.value;
    }
  });
}
