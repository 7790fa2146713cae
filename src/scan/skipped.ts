import { matchesGlob } from "node:path"
import type { ScanOptions } from "./scan.ts"

/** Whether a raw path relative to the root is not to be looked at, by `skipDirectories` and `skipFiles`: paths or globs. */
export function skippedPaths({
  skipDirectories,
  skipFiles,
}: Pick<ScanOptions, "skipDirectories" | "skipFiles">): (path: string) => boolean {
  if (skipDirectories.length + skipFiles.length === 0) return () => false
  const [directories, files] = [skipDirectories, skipFiles].map((globs) =>
    globs.map((glob) => glob.replace(/^\.?\/+|\/+$/g, "")),
  )
  return (raw) => {
    const path = Buffer.from(raw, "latin1").toString("utf8")
    if (files?.some((glob) => path === glob || matchesGlob(path, glob))) return true
    return directories?.some((glob) => path.startsWith(`${glob}/`) || matchesGlob(path, `${glob}/**`)) ?? false
  }
}
