import { closeSync } from "node:fs"
import { applyLayer, treeTar } from "../archive/archive.ts"
import type { Bytes } from "../base/bytes.ts"
import { crashPoint } from "../base/crash-point.ts"
import type { Cancellable } from "../base/cancel.ts"
import { openRoot } from "../sys/fs/confined.ts"

/** See `Volumes.export`. */
export async function* exportVolume(directory: string, { signal }: Cancellable = {}): Bytes {
  const fd = openRoot(directory)
  try {
    yield* treeTar({ directory: fd, name: "." }, { as: ".", exact: true, signal })
  } finally {
    closeSync(fd)
  }
}

/** See `Volumes.import`. */
export async function importVolume(directory: string, archive: Bytes, { signal }: Cancellable = {}): Promise<void> {
  const fd = openRoot(directory)
  try {
    // by the descriptor: a container that uses the volume may swap what is below, and cannot what is above
    await applyLayer(mortal(archive), `/proc/self/fd/${fd}`, { plain: true, keepsKinds: true, signal })
  } finally {
    closeSync(fd)
  }
}

async function* mortal(archive: Bytes): Bytes {
  for await (const chunk of archive) {
    yield chunk
    crashPoint("volume:importing")
  }
}
