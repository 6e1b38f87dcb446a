// data-signature: a canvas to sign on; the drawing goes along as a PNG data URL. Without it the typed name is the signature.
import { once } from "./once.js";

const PAD = new URL("../vendor/signature-pad/signature_pad.min.js", import.meta.url).href;

const EMPTY = "data:,"; // a pad was offered and nobody has drawn on it; the command refuses that

export function wireSignatures(root) {
  once(root, "[data-signature]", "Signature", async (box) => {
    const { default: SignaturePad } = await import(PAD);
    const canvas = box.querySelector("canvas");
    const value = box.querySelector("input[type=hidden]");
    box.querySelector("[data-signature-pad]").hidden = false;
    const pad = new SignaturePad(canvas, { penColor: "#16202b", minWidth: 0.8, maxWidth: 2.6 });
    let kept = value.value.startsWith("data:image/png;") ? value.value : ""; // drawn before a refusal: it stays
    value.value = kept || EMPTY;
    const name = box.querySelector("[data-proposed]");
    if (name && !name.value && !name.hasAttribute("aria-invalid")) name.value = name.dataset.proposed;
    const fit = async () => {
      const strokes = pad.toData();
      const ratio = Math.max(window.devicePixelRatio || 1, 1);
      canvas.width = canvas.offsetWidth * ratio;
      canvas.height = canvas.offsetHeight * ratio;
      canvas.getContext("2d").scale(ratio, ratio);
      pad.clear();
      if (kept) await pad.fromDataURL(kept, { ratio, width: canvas.offsetWidth, height: canvas.offsetHeight }).catch(() => {});
      pad.fromData(strokes, { clear: false });
    };
    pad.addEventListener("endStroke", () => (value.value = pad.toDataURL("image/png")));
    box.querySelector("[data-signature-clear]").addEventListener("click", () => {
      pad.clear();
      kept = "";
      value.value = EMPTY;
    });
    new ResizeObserver(fit).observe(canvas);
  });
}
