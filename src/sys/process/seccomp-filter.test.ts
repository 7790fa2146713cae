import { expect, test } from "bun:test"
import { canFilter } from "./seccomp-filter.ts"

const reason = process.getuid?.() !== 0 ? "not root" : canFilter() ? undefined : "no libseccomp"
if (reason !== undefined) console.log(`skipped: seccomp-filter.test.ts: ${reason}`)

const PROGRAM = `
import { mkdirSync, openSync, writeFileSync, chownSync, statSync, rmSync } from "node:fs"
import { loadFilter } from "${import.meta.dir}/seccomp-filter.ts"
const architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"]
const owners = { names: ["chown", "fchownat", "no_such_call"], action: "SCMP_ACT_ERRNO", errnoRet: 0 }
// mkdir(2) with this mode alone
const mode = { names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 28, args: [{ index: 1, value: 0o711, op: "SCMP_CMP_EQ" }] }
const path = "/tmp/skiff-filter-" + process.pid
loadFilter({ defaultAction: "SCMP_ACT_ALLOW", architectures, syscalls: [owners, mode] })
writeFileSync(path, "")
chownSync(path, 5, 5)
const said = [statSync(path).uid]
for (const mode of [0o711, 0o700]) try { mkdirSync(path + mode, { mode }); said.push("made"); rmSync(path + mode, { recursive: true }) } catch (error) { said.push(error.code) }
rmSync(path)
console.log(JSON.stringify(said))
`

test.skipIf(reason !== undefined || process.arch !== "x64")(
  "calls and their arguments are told apart; a call may do nothing",
  () => {
    const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", PROGRAM])
    expect({ stdout: stdout.toString(), stderr: stderr.toString() }).toEqual({
      stdout: '[0,"ENOSPC","made"]\n',
      stderr: "",
    })
  },
)
