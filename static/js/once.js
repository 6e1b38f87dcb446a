// Gives a behaviour to each matching element inside root (root included) exactly once.
export function once(root, selector, name, wire) {
  const found = [...root.querySelectorAll(selector)];
  if (root.matches?.(selector)) found.push(root);
  for (const element of found) {
    const mark = `wired${name}`;
    if (element.dataset[mark]) continue;
    element.dataset[mark] = "1";
    wire(element);
  }
}

export const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
