/** What was asked of plugins and not yet taken back: a file for each, written before the first plugin runs. */
import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { hasErrno } from "../../base/errors.ts"
import { namesIn } from "../../base/names-in.ts"
import type { Pid } from "../../sys/process/process.ts"
import type { CniConfigList } from "./config-list.ts"
import type { CniAttachment, CniResult } from "./run-plugins.ts"

/** One container on one network. The list is kept as it was: what another one would undo is not what this one made. */
export interface KeptAttachment {
  list: CniConfigList
  attachment: CniAttachment
  /** Of whose life the namespace's depends; absent: the namespace is at a path of its own. */
  holder?: { pid: Pid; startTime: number }
  /** Absent until the last plugin has run. */
  result?: CniResult
}

/** Those of one store. */
export class CniAttachments {
  readonly #directory: string

  constructor(runRoot: string) {
    this.#directory = join(runRoot, "network/cni")
  }

  write(kept: KeptAttachment): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    atomicWrite(this.#path(kept.attachment.containerId, kept.list.name), JSON.stringify(kept))
  }

  get(containerId: string, network: string): KeptAttachment | undefined {
    return readKept(this.#path(containerId, network))
  }

  /** Safe to repeat. */
  remove(containerId: string, network: string): void {
    rmSync(this.#path(containerId, network), { force: true })
  }

  list(): KeptAttachment[] {
    return namesIn(this.#directory).flatMap((name) => readKept(join(this.#directory, name)) ?? [])
  }

  #path(containerId: string, network: string): string {
    return join(this.#directory, `${containerId}.${network}`)
  }
}

function readKept(path: string): KeptAttachment | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as KeptAttachment
  } catch (error) {
    if (hasErrno(error, "ENOENT") || error instanceof SyntaxError) return undefined
    throw error
  }
}
