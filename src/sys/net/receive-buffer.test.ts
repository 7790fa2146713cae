import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const BYTES = 4 << 20
const script = `
  import { growReceiveBuffer } from ${JSON.stringify(join(import.meta.dir, "receive-buffer.ts"))}
  const socket = await Bun.udpSocket({ hostname: "127.0.0.1", port: 0 })
  growReceiveBuffer(socket.port, ${BYTES})
  console.log(Bun.spawnSync(["ss", "-Hunlm", "sport = :" + socket.port]).stdout.toString())
  socket.close()`
const allowed = Number(readFileSync("/proc/sys/net/core/rmem_max", "latin1"))
const withoutPrivilege = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
const isRoot = process.getuid?.() === 0

test.each([
  ["of the host's root as long as asked for", isRoot, [], BYTES],
  ["of others as long as the host allows", true, isRoot ? withoutPrivilege : [], Math.min(BYTES, allowed)],
])("datagrams wait in a buffer that is %s", (_, isPossible, prefix, bytes) => {
  if (!isPossible) return
  const [program = "", ...args] = [...prefix, process.execPath, "-e", script]
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8" })
  // the kernel doubles it, for what it needs itself
  expect({ buffer: Number(/rb(\d+)/.exec(stdout)?.[1]), stderr }).toEqual({ buffer: 2 * bytes, stderr: "" })
})
