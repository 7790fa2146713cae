/** Two engines of one store, as two processes have it, in this process. */
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { removeNetwork } from "../../test/support/remove-network.ts"
import type { Engine } from "./engine.ts"
import { openEngine } from "./open.ts"

/** What conmon runs at the end of a container, where the engine is in a process of another program. */
const OWN_COMMAND = [process.execPath, join(import.meta.dir, "../main.ts")]

export class EngineLab implements AsyncDisposable {
  readonly #directory = mkdtempSync("/tmp/skiff-engine-")
  readonly root = join(this.#directory, "root")
  readonly runRoot = join(this.#directory, "run")
  readonly engine: Engine
  readonly other: Engine

  constructor(command: readonly string[]) {
    const options = { root: this.root, runRoot: this.runRoot, command }
    this.engine = openEngine(options)
    this.other = openEngine(options)
  }

  /** With the image `busybox`. `command`: words that run skiff. */
  static async open(command: readonly string[] = OWN_COMMAND): Promise<EngineLab> {
    const lab = new EngineLab(command)
    await (await lab.engine.images()).bootstrap({ base: "busybox", names: ["busybox"] })
    return lab
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of [this.engine, this.other]) await engine[Symbol.asyncDispose]()
    removeNetwork(this.runRoot)
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
