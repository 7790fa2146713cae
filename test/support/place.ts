/** Places like those that CI gives: containers of skiff itself, with skiff inside and less than a host has. */
import { chmodSync } from "node:fs"
import { join } from "node:path"
import { executable, type Outcome, type Skiff } from "./skiff.ts"

/** What the scripts find at /w: the image `busybox`, as an archive. */
export async function preparePlaces(skiff: Skiff): Promise<void> {
  const path = join(skiff.directory, "base.tar")
  await skiff.ok("save", "-o", path, "busybox")
  chmodSync(path, 0o644)
}

const PRELUDE = `
export PATH=/usr/sbin:/usr/bin:/bin HOME=/tmp
skiff() { /skiff "$@"; }
skiff load -q -i /w/base.tar >/dev/null || exit 90
`

/** Runs a script in a new container with these flags; the host's programs are there, and the test's files at /w. */
export function inPlace(skiff: Skiff, flags: readonly string[], script: string): Promise<Outcome> {
  const volumes = ["/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro", `${executable()}:/skiff:ro`]
  const all = [...volumes, `${skiff.directory}:/w:ro`].flatMap((volume) => ["-v", volume])
  const container = ["run", "--rm", "--network", "none", ...all, ...flags, "busybox"]
  return skiff.run([...container, "/bin/sh", "-c", PRELUDE + script], { timeoutMs: 120_000 })
}
