import { expect, test } from "bun:test"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { cgroupDirectories, detectCgroups } from "../../sys/process/cgroup.ts"
import { OCI_RUNTIMES } from "../lab.suite.ts"
import { openChosen } from "./choose.ts"

const cgroups = detectCgroups()
const cannot = process.getuid?.() !== 0 || cgroups.manager !== "cgroupfs"

for (const name of OCI_RUNTIMES)
  test.skipIf(cannot)(
    `${name}: delete() of what could not be created removes its cgroup, once its last process has gone`,
    async () => {
      const id = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex")
      const directories = [...cgroupDirectories(id, cgroups).values()]
      const [first = ""] = directories
      mkdirSync(first, { recursive: true })
      const last = spawn("sleep", ["1000"])
      writeFileSync(join(first, "cgroup.procs"), `${last.pid}`)
      const deleted = openChosen(name, cgroups, { stateRoot: tempDirectory("skiff-left-") }).delete(id, { force: true })
      last.kill("SIGKILL")
      await once(last, "exit")
      await deleted
      expect(directories.filter((directory) => existsSync(directory))).toEqual([])
    },
  )
