/** Kubernetes' objects on one machine: no other engine here has them, so these rows have targets of their own. */
import { readdirSync, readFileSync, writeFileSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { eventually } from "../test/support/wait.ts"
import { output, timed, type Engine } from "./engine.ts"
import type { Measure } from "./measure.ts"

const PODS = 300
const IDLE_SECONDS = 20
const TICKS_PER_SECOND = 100
const GONE_MS = 180_000

const isOurs = ({ name }: Engine): boolean => name === "skiff"

export function kubeMeasures(image: string, directory: string, quick: boolean): Measure[] {
  const count = quick ? 30 : PODS
  const file = write(join(directory, "kube"), image, count)
  const up = async (engine: Engine): Promise<number> => {
    const applied = await timed(engine, ["kube", "apply", "-f", file])
    return applied + (await timed(engine, ["kube", "rollout", "status", "deployment/web", "--timeout=300s"]))
  }
  const down = async (engine: Engine): Promise<void> => {
    await timed(engine, ["kube", "delete", "-f", file])
    // their objects have no grace, and are gone before their containers
    await eventually(() => output(engine, ["ps", "-aq"]) === "", GONE_MS)
  }
  const standing = (measure: Pick<Measure, "name" | "unit" | "rounds" | "target" | "round">): Measure => ({
    ...measure,
    before: async (engine) => void (isOurs(engine) && (await up(engine))),
    round: async (engine) => (isOurs(engine) ? measure.round(engine) : Number.NaN),
    after: async (engine) => void (isOurs(engine) && (await down(engine))),
  })
  return [
    {
      name: `kube apply of a Deployment until its ${count} pods are ready`,
      unit: "s",
      rounds: 1,
      target: { atMost: 60 },
      async round(engine) {
        if (!isOurs(engine)) return Number.NaN
        const ms = await up(engine)
        await down(engine)
        return ms / 1000
      },
    },
    standing({
      name: `a deleted pod's successor in kube, among ${count}`,
      unit: "s",
      rounds: 3,
      target: { atMost: 2 },
      async round(engine) {
        const [first = ""] = output(engine, ["kube", "get", "pods", "-o", "name"]).split("\n")
        const begun = performance.now()
        await timed(engine, ["kube", "delete", first, "--grace-period=0", "--force", "--wait=false"])
        const path = "jsonpath={.status.readyReplicas}"
        await eventually(() => output(engine, ["kube", "get", "deployment/web", "-o", path]) === `${count}`, GONE_MS)
        return (performance.now() - begun) / 1000
      },
    }),
    standing({
      name: `kube get pods, ${count}`,
      unit: "ms",
      rounds: 11,
      target: { atMost: 60 },
      round: (engine) => timed(engine, ["kube", "get", "pods"]),
    }),
    standing({
      name: `the supervisor's memory with ${count} pods of kube`,
      unit: "MiB",
      rounds: 1,
      target: { atMost: 120 },
      async round(engine) {
        await sleep(IDLE_SECONDS * 1000)
        return shareOf(supervisorOf(engine))
      },
    }),
    standing({
      name: `the supervisor's share of a core with ${count} pods of kube, idle`,
      unit: "%",
      rounds: 1,
      target: { atMost: 1 },
      async round(engine) {
        await sleep(IDLE_SECONDS * 1000)
        const pid = supervisorOf(engine)
        const before = ticksOf(pid)
        await sleep(IDLE_SECONDS * 1000)
        return ((ticksOf(pid) - before) / TICKS_PER_SECOND / IDLE_SECONDS) * 100
      },
    }),
  ]
}

function write(directory: string, image: string, replicas: number): string {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, "pods.yaml")
  writeFileSync(
    path,
    `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - { name: main, image: ${image}, imagePullPolicy: Never, command: [sleep, "100000"] }
`,
  )
  return path
}

function supervisorOf({ env }: Engine): number {
  const root = env["SKIFF_ROOT"] ?? ""
  const pid = readdirSync("/proc").find((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0")
      return words[0] !== "flock" && words.includes("_supervise") && words.includes(root)
    } catch {
      return false // ended meanwhile
    }
  })
  if (pid === undefined) throw new Error("there is no supervisor")
  return Number(pid)
}

/** Its share of what it holds (Pss), in MiB: pages of the executable are those of every command. */
function shareOf(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? Number.NaN) / 1024
}

function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? []
  return Number(fields[11]) + Number(fields[12])
}
