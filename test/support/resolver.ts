import { spawn, spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Asked, Many, Told } from "./ask-names.ts"
import type { Skiff } from "./skiff.ts"
import { user } from "./user.ts"
import { eventually } from "./wait.ts"

const CLIENT = join(import.meta.dirname, "ask-names.ts")

/** Asks from inside a container's network, in order; a text says why there was no answer. */
export async function ask(
  skiff: Skiff,
  container: string,
  server: string,
  ...asked: Asked[]
): Promise<(Told | string)[]> {
  return askFrom(await pidOf(skiff, container), server, ...asked)
}

/** The same, without a command of skiff's. */
export async function askFrom(pid: string, server: string, ...asked: Asked[]): Promise<(Told | string)[]> {
  return JSON.parse(await inNetwork(pid, [server, JSON.stringify(asked)])) as (Told | string)[]
}

/** Asks as fast as it can for one name after the other, `NAME=ADDRESS`, while something goes on, and no fewer times than `count`. */
export async function askMeanwhile(
  skiff: Skiff,
  container: string,
  server: string,
  { count, wanted, meanwhile }: { count: number; wanted: readonly string[]; meanwhile: () => Promise<unknown> },
): Promise<Many> {
  const words = [server, "--meanwhile", `${count}`, ...wanted]
  return JSON.parse(await inNetwork(await pidOf(skiff, container), words, meanwhile)) as Many
}

/** Sends what is no question, and leaves connections open for a while. */
export async function askBadly(skiff: Skiff, container: string, server: string, count: number): Promise<void> {
  await inNetwork(await pidOf(skiff, container), [server, "--hostile", `${count}`])
}

/** Of its first process. */
export function pidOf(skiff: Skiff, container: string): Promise<string> {
  return skiff.ok("inspect", "-f", "{{.State.Pid}}", container)
}

async function inNetwork(pid: string, args: readonly string[], meanwhile?: () => Promise<unknown>): Promise<string> {
  // who is not root enters by the user namespace in which he is
  const enter = process.getuid?.() === 0 ? ["--net"] : ["--user", "--net", "--preserve-credentials"]
  return outputOf(["nsenter", "-t", pid, ...enter, process.execPath, CLIENT, ...args], meanwhile)
}

/** A name server inside a container's network, as a program of that container would be. Root alone may put it there. */
export async function serveNamesIn(
  skiff: Skiff,
  container: string,
  address: string,
  known: Record<string, string>,
): Promise<Disposable> {
  const script = join(import.meta.dirname, "name-server.ts")
  const words = Object.entries(known).map(([name, value]) => `${name}=${value}`)
  const enter = ["-t", await pidOf(skiff, container), "--net"]
  const child = spawn("nsenter", [...enter, process.execPath, script, address, ...words], { stdio: "ignore" })
  return { [Symbol.dispose]: () => void child.kill("SIGKILL") }
}

/** Somebody joins and leaves the network so often, in so many milliseconds. */
export async function changeNames(skiff: Skiff, network: string, count: number, milliseconds: number): Promise<void> {
  const script = join(import.meta.dirname, "change-names.ts")
  const words = [process.execPath, script, join(skiff.root, "skiff.db"), network, `${count}`, `${milliseconds}`]
  await outputOf([...user.prefix, ...words])
}

/** Its input is open while `meanwhile` goes on. */
async function outputOf(
  [program = "", ...args]: readonly string[],
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<string> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] })
  const texts = { stdout: "", stderr: "" }
  for (const name of ["stdout", "stderr"] as const) child[name].on("data", (bytes: Buffer) => (texts[name] += bytes))
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.on("close", resolve)
  child.stdin.on("error", () => {}) // it may end without reading
  try {
    await meanwhile()
  } finally {
    child.stdin.end()
  }
  const code = await promise
  if (code !== 0) throw new Error(`${program} gave ${code}\n${texts.stderr}`)
  return texts.stdout
}

/** Pids of the resolver of a store: one, none, or for a moment two of which one finds the lock taken. */
export function resolversOf(skiff: Skiff): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0")
      return words.includes(skiff.root) && words.includes("_resolve") ? [Number(name)] : []
    } catch {
      return [] // ended meanwhile
    }
  })
}

/** Kills it, and waits until the kernel has let go of its lock. */
export async function killResolver(skiff: Skiff): Promise<void> {
  const [pid] = resolversOf(skiff)
  if (pid === undefined) throw new Error("there is no resolver")
  process.kill(pid, "SIGKILL")
  await eventually(() => spawnSync("flock", ["-n", join(skiff.runRoot, "resolver.lock"), "true"]).status === 0)
}
