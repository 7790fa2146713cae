import { matchesGlob } from "node:path"

/** Says which raw paths, relative to the root, are not to be looked at; undefined where all are. */
export function skipper({
  skipDirectories = [],
  skipFiles = [],
}: {
  skipDirectories?: readonly string[]
  skipFiles?: readonly string[]
}): ((path: string, isDirectory: boolean) => boolean) | undefined {
  if (skipDirectories.length + skipFiles.length === 0) return undefined
  const [directories, files] = [skipDirectories, skipFiles].map((globs) => globs.map(cleanGlob))
  return (raw, isDirectory) => {
    const path = Buffer.from(raw, "latin1").toString("utf8")
    return (isDirectory ? directories : files)?.some((glob) => path === glob || matchesGlob(path, glob)) ?? false
  }
}

/** `**` is any depth, `*` and `?` stay in one name; a path without them is that alone. */
function cleanGlob(glob: string): string {
  return glob
    .replace(/^(?:\.?\/)+/, "")
    .replace(/\/+$/, "")
    .replaceAll(/\/{2,}/g, "/")
}
