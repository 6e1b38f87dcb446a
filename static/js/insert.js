// [data-insert="#field"] puts the words of another element at the end of a field, ticks a box and stays on the page.
export function wireInserts(root) {
  for (const link of root.querySelectorAll("[data-insert]")) {
    if (link.dataset.wired) continue;
    link.dataset.wired = "1";
    link.addEventListener("click", (event) => {
      const field = document.querySelector(link.dataset.insert);
      const words = document.querySelector(link.dataset.words)?.textContent.trim();
      if (!field || !words) return;
      event.preventDefault();
      field.value = field.value.trim() ? `${field.value.trimEnd()}\n${words}` : words;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      const box = link.dataset.tick && document.querySelector(link.dataset.tick);
      if (box) box.checked = true;
      field.focus();
    });
  }
}
