// data-photos: pictures are made smaller before they travel (2000 px, JPEG) and shown at once. Without it originals are sent.
import { once } from "./once.js";

const LONGEST = 2000;
const SMALL_ENOUGH = 600000;
const QUALITY = 0.82;

export async function shrink(file) {
  if (!/^image\/(jpeg|png|webp)$/.test(file.type)) return file;
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return file;
  }
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  if (scale === 1 && file.size < SMALL_ENOUGH) return file;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  if (!blob || blob.size >= file.size) return file;
  const name = `${file.name.replace(/\.\w+$/, "")}.jpg`;
  return new File([blob], name, { type: "image/jpeg", lastModified: file.lastModified });
}

export function wirePhotos(root) {
  once(root, "[data-photos]", "Photos", (box) => {
    const input = box.querySelector("input[type=file]");
    const add = input.closest(".add");
    let chosen = [];

    const show = () => {
      box.querySelectorAll("figure[data-new]").forEach((figure) => figure.remove());
      for (const file of chosen) {
        const figure = document.createElement("figure");
        figure.dataset.new = "1";
        const image = document.createElement("img");
        image.alt = file.name;
        image.src = URL.createObjectURL(file);
        image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
        figure.append(image);
        add.before(figure);
      }
    };
    input.addEventListener("change", async () => {
      // A page with a queue takes them at once; elsewhere they wait in the form.
      const files = [...input.files];
      if (!box.dispatchEvent(new CustomEvent("photos", { bubbles: true, cancelable: true, detail: files }))) {
        input.value = "";
        return;
      }
      const fresh = await Promise.all(files.map(shrink));
      chosen = input.multiple ? [...chosen, ...fresh] : fresh;
      const bag = new DataTransfer();
      for (const file of chosen) bag.items.add(file);
      input.files = bag.files;
      show();
    });
  });
}
