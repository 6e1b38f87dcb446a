// data-checks: what isn't in order asks for its words, and for a photo where the checklist wants one, before it is sent.
import { once } from "./once.js";

once(document, "form[data-checks]", "Checks", (form) => {
  const look = (row) => {
    const wrong = row.querySelector("[value=WRONG]").checked;
    row.querySelector("[name^=remark_]").required = wrong;
    const photo = row.querySelector("[type=file]");
    photo.required = row.classList.contains("is-drawn") || (wrong && "photoIfWrong" in row.dataset);
  };
  for (const row of form.querySelectorAll(".check-row")) {
    row.addEventListener("change", () => look(row));
    look(row);
  }
});
