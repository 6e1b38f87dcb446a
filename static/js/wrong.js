// A form that came back refused shows its first error: it may stand far below what is seen first.
export function wireWrong() {
  const first = document.querySelector("main [aria-invalid=true], main .wrong li");
  if (!first) return;
  const { top, bottom } = first.getBoundingClientRect();
  if (top < 0 || bottom > window.innerHeight) first.scrollIntoView({ block: "center" });
  if (first.matches("input, select, textarea")) first.focus({ preventScroll: true });
}
