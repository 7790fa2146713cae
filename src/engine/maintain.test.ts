import { spawnSync } from "node:child_process"
import { expect, test } from "bun:test"
import { plainOptions } from "../container/container.suite.ts"
import { kernelNames } from "../network/names.ts"
import { HOST_RUNTIME, whyNot } from "../runtime/lab.suite.ts"
import { EngineLab } from "./engine-lab.suite.ts"

const skip = whyNot(HOST_RUNTIME)
if (skip !== false) console.log(`maintain test skipped: ${skip}`)

const nft = (...argv: string[]) => spawnSync("nft", argv).status

test.skipIf(skip !== false)(
  "maintain() brings back rules that somebody flushed, while the engine stays open",
  async () => {
    await using lab = await EngineLab.open()
    const containers = await lab.engine.containers()
    const network = { kind: "bridge", name: "bridge" } as const
    const started = await containers.run(plainOptions("busybox", ["sleep", "1000"], { network }))
    started.release()
    const { table } = kernelNames(lab.runRoot, false)
    expect(nft("delete", "table", "inet", table)).toBe(0)
    await lab.engine.maintain()
    expect(nft("list", "table", "inet", table)).toBe(0)
    await containers.remove(started.container.id, { force: true })
  },
)
