/** The evidence of a container that has made as much of it as it could: memory stays bounded, and what is left out is named. */
import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

test("very many processes with very long environments are not all held in memory", async () => {
  // 60 × 1.5 MB
  const script = `x=$(head -c 100000 /dev/zero | tr '\\0' x)
for n in a b c d e f g h i j k l m n o; do export "V$n=$x"; done
for n in $(seq 60); do sleep 1000 & done; touch /tmp/ready; wait`
  await skiff.ok("run", "-d", "--name", "many", "busybox", "sh", "-c", script)
  await eventually(async () => (await skiff.run(["exec", "many", "test", "-e", "/tmp/ready"])).code === 0)
  const [program = "", ...words] = skiff.command(["forensics", "-o", "-", "many"])
  const { status, stdout } = spawnSync(program, words, { env: skiff.env, maxBuffer: 1 << 30 })
  expect(status).toBe(0)
  expect(stdout.length).toBeLessThan(80 << 20)
  const { stdout: text } = spawnSync("tar", ["-xO", "manifest.json"], { input: stdout })
  const { processesNotRead, files } = JSON.parse(text.toString()) as {
    processesNotRead: number[]
    files: { name: string }[]
  }
  expect(processesNotRead.length).toBeGreaterThan(5)
  // all of them have their row
  const { stdout: rows } = spawnSync("tar", ["-xO", "processes.json"], { input: stdout, maxBuffer: 1 << 30 })
  const pids = (JSON.parse(rows.toString()) as { pid: number }[]).map(({ pid }) => pid)
  const read = new Set(files.flatMap(({ name }) => /^processes\/(\d+)\//.exec(name)?.[1] ?? []).map(Number))
  expect([...read, ...processesNotRead].toSorted((a, b) => a - b)).toEqual(pids.toSorted((a, b) => a - b))
  await skiff.ok("rm", "-f", "-t", "0", "many")
}, 60_000)
