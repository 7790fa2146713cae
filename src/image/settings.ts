import { InvalidArgument } from "../base/errors.ts"
import { readSettings, settingsFile } from "../base/settings-file.ts"

/** Whether pulls may fetch parts of layers (containers-storage.conf's `enable_partial_images`); by default they do. Throws InvalidArgument. */
export async function readPartialImages(path = settingsFile()): Promise<boolean> {
  const { enable_partial_images: value = true, ...more } = await readSettings("image", path)
  const [unknown] = Object.keys(more)
  if (unknown !== undefined)
    throw new InvalidArgument(`"${path}" has the unknown key "image.${unknown}"`, {
      hint: { valid: ["image.enable_partial_images"] },
    })
  // in TOML a word without quotes; containers-storage.conf has it in quotes
  if (value === true || value === "true") return true
  if (value === false || value === "false") return false
  throw new InvalidArgument(`"${path}" says image.enable_partial_images = ${JSON.stringify(value)}`, {
    hint: { valid: ["true", "false"] },
  })
}
