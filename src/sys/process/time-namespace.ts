import { closeSync, writeFileSync } from "node:fs"
import { FailedPrecondition } from "../../base/errors.ts"
import { findProgram } from "../host.ts"
import { mountAt, MountFlag } from "../fs/mount.ts"
import { pipe } from "../libc.ts"
import { installCommand } from "../install-command.ts"
import { spawnProcess } from "./process.ts"

/**
 * Makes a time namespace whose clocks are so many seconds ahead (time_namespaces(7)), and keeps it by a bind mount on the new file
 * `path`, which the caller unmounts. Throws FailedPrecondition where the kernel has none, or refuses the offsets.
 */
export async function makeTimeNamespace(path: string, offsets: { monotonic: number; boottime: number }): Promise<void> {
  const unshare = findProgram("unshare")
  if (unshare === undefined)
    throw new FailedPrecondition("a time namespace needs unshare of util-linux", {
      hint: installCommand({ debian: "util-linux" }),
    })
  const { readEnd, writeEnd } = pipe()
  const words = [`--monotonic=${offsets.monotonic}`, `--boottime=${offsets.boottime}`]
  // the shell lives until we have bound its namespace; the end of its input is our death, too
  const child = spawnProcess([unshare, "--time", ...words, "--", "/bin/sh", "-c", "echo; read -r _"], {
    stdio: [readEnd, "named-pipe", "named-pipe"],
    detached: true,
  })
  closeSync(readEnd)
  try {
    // its line says that unshare is done
    for await (const _ of child.stdout ?? []) {
      bindNamespace(`/proc/${child.pid}/ns/time_for_children`, path)
      return
    }
    throw new FailedPrecondition(`cannot make a time namespace: ${await wordsOf(child.stderr)}`, {
      field: "namespaces.timeOffsets",
      hint: "clocks of a container cannot be before the start of the machine; kernels have time namespaces from 5.6 on",
    })
  } finally {
    closeSync(writeEnd)
  }
}

/** Keeps the namespace that `source` opens for as long as it is mounted at the new file `path`. */
export function bindNamespace(source: string, path: string): void {
  writeFileSync(path, "", { mode: 0o600 })
  mountAt(path, { type: "none", source, data: [], flags: MountFlag.bind })
}

async function wordsOf(stream: AsyncIterable<Uint8Array> = nothing()): Promise<string> {
  let words = ""
  for await (const chunk of stream) words = (words + Buffer.from(chunk).toString()).slice(0, 4096)
  return words.trim().replace(/^unshare: /, "") || "no message"
}

async function* nothing(): AsyncIterable<Uint8Array> {}
