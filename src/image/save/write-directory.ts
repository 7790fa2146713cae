import { mkdirSync, readdirSync, rmSync } from "node:fs"
import { open } from "node:fs/promises"
import { dirname, join } from "node:path"
import { AlreadyExists } from "../../base/errors.ts"
import { type SavedFile } from "./saved-file.ts"

/**
 * Writes the files below `path`; their names are ours. Throws AlreadyExists when something lies there. What fails leaves the
 * directory empty; a kill may leave some of the files.
 */
export async function writeDirectory(files: AsyncIterable<SavedFile>, path: string): Promise<void> {
  mkdirSync(path, { recursive: true })
  if (readdirSync(path).length > 0)
    throw new AlreadyExists(`the directory "${path}" is not empty`, { hint: "name another, or remove it first" })
  try {
    for await (const { name, bytes } of files) {
      const target = join(path, name)
      mkdirSync(dirname(target), { recursive: true })
      await using file = await open(target, "wx", 0o644)
      for await (const chunk of bytes()) await file.writeFile(chunk)
    }
  } catch (error) {
    for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true })
    throw error
  }
}
