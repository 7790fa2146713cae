import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { containerSuite, type ContainerStore } from "../container/container.suite.ts"
import { kernelNames } from "../network/names.ts"
import { HOST_RUNTIME, whyNot } from "../runtime/lab.suite.ts"
import { runSync } from "../sys/process/run-sync.ts"
import { openEngine } from "./open.ts"

/** What conmon runs at the end of a container, where the engine is in a process of another program. */
const command = [process.execPath, join(import.meta.dir, "../main.ts")]

async function openStore(): Promise<ContainerStore> {
  const directory = mkdtempSync(join(tmpdir(), "skiff-containers-"))
  const [root, runRoot] = [join(directory, "root"), join(directory, "run")]
  const engines = [openEngine({ root, runRoot, command }), openEngine({ root, runRoot, command })] as const
  await (await engines[0].images()).bootstrap({ base: "busybox", names: ["busybox"] })
  return {
    containers: await engines[0].containers(),
    other: await engines[1].containers(),
    image: "busybox",
    async [Symbol.asyncDispose]() {
      for (const engine of engines) await engine[Symbol.asyncDispose]()
      const { bridge, table } = kernelNames(runRoot, false)
      runSync(["ip", "link", "delete", bridge])
      runSync(["nft", "delete", "table", "inet", table])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

containerSuite("containers of an engine", openStore, { skip: whyNot(HOST_RUNTIME) })
