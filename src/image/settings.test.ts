import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readPartialImages } from "./settings.ts"

test("readPartialImages() is true unless the file says no, and names what it cannot read", async () => {
  const directory = mkdtempSync(join(tmpdir(), "skiff-settings-"))
  try {
    const path = join(directory, "skiff.toml")
    expect(await readPartialImages(path)).toBe(true)
    const says = async (text: string): Promise<boolean> => {
      writeFileSync(path, text)
      return await readPartialImages(path)
    }
    expect(await says('[network]\nuplink = "pasta"\n')).toBe(true)
    expect(await says("[image]\nenable_partial_images = false\n")).toBe(false)
    expect(await says('[image]\nenable_partial_images = "false"\n')).toBe(false)
    await expect(says("[image]\nenable_partial_images = 1\n")).rejects.toThrow("image.enable_partial_images = 1")
    await expect(says("[image]\npartial = true\n")).rejects.toThrow('unknown key "image.partial"')
    await expect(says("[images]\n")).rejects.toThrow('unknown key "images"')
  } finally {
    rmSync(directory, { recursive: true })
  }
})
