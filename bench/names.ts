/** Names of containers on a network of a user's: how many questions a second, and how long one takes. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import type { Many } from "../test/support/ask-names.ts"
import { removeAll } from "./containers.ts"
import { timed, type Engine } from "./engine.ts"
import type { Measure } from "./measure.ts"
import { median } from "./report.ts"

const CLIENT = join(import.meta.dir, "../test/support/ask-names.ts")
const NETWORK = "names"

export function nameMeasures(image: string, quick: boolean): Measure[] {
  const many = quick ? 10_000 : 100_000
  const rounds = quick ? 3 : 9
  const target = { ratio: 1, peer: "best" as const }
  const neighbours = {
    rounds,
    target,
    before: async (engine: Engine) => {
      await timed(engine, ["network", "create", NETWORK])
      for (const name of ["asker", "asked"])
        await timed(engine, ["run", "-d", "--name", name, "--network", NETWORK, image, "sleep", "1000"])
    },
    after: async (engine: Engine) => {
      await removeAll(engine)
      await timed(engine, ["network", "rm", NETWORK])
    },
  }
  return [
    {
      ...neighbours,
      name: `${many.toLocaleString("en")} questions for a neighbour's name, 64 at once`,
      unit: "s",
      round: async (engine) => askMany(engine, many, 64).seconds,
    },
    {
      ...neighbours,
      name: "one question for a neighbour's name",
      unit: "ms",
      round: async (engine) => median(askMany(engine, 2_000, 1).waitsMs),
    },
    {
      name: "run --rm on a network with names, the first container there",
      unit: "ms",
      rounds: quick ? 5 : 21,
      target: { ratio: 0.5, peer: "best" },
      before: async (engine) => void (await timed(engine, ["network", "create", NETWORK])),
      round: (engine) => timed(engine, ["run", "--rm", "--network", NETWORK, image, "true"]),
      after: async (engine) => void (await timed(engine, ["network", "rm", NETWORK])),
    },
  ]
}

/** From inside the asking container's network namespace, of whom its resolv.conf names. Throws where one answer is missing. */
function askMany(engine: Engine, count: number, atOnce: number): Many {
  const said = (...words: string[]): string => {
    const [program = "", ...args] = [...engine.argv, ...words]
    return spawnSync(program, args, { env: { ...process.env, ...engine.env } })
      .stdout.toString()
      .trim()
  }
  const pid = said("inspect", "-f", "{{.State.Pid}}", "asker")
  const [, server = ""] = /nameserver (\S+)/.exec(said("exec", "asker", "cat", "/etc/resolv.conf")) ?? []
  const path = `{{(index .NetworkSettings.Networks "${NETWORK}").IPAddress}}`
  const wanted = `asked=${said("inspect", "-f", path, "asked")}`
  const words = ["-t", pid, "--net", process.execPath, CLIENT, server, "--many", `${count}`, "600", wanted]
  const { stdout, stderr } = spawnSync("nsenter", words, { env: { ...process.env, ASK_WINDOW: `${atOnce}` } })
  const many = JSON.parse(stdout.toString() || `{"wrong": {"${stderr.toString().length} bytes of errors": 1}}`) as Many
  if (Object.keys(many.wrong).length > 0) throw new Error(`names are not answered: ${JSON.stringify(many.wrong)}`)
  return many
}
