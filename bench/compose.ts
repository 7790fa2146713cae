/** Compose: projects of 3 and 50 services, and a large file. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { output, timed, type Engine } from "./engine.ts"
import type { Measure } from "./measure.ts"

const MANY = 50
/** Services that wait for one another; the others of the 50 depend on nothing. */
const CHAIN = 5
/** Of the large file; docker's own largest example is of this size. */
const LARGE = 400

const compose = (file: string, ...words: string[]) => ["compose", "--progress", "quiet", "-f", file, ...words]
const up = (engine: Engine, file: string) => timed(engine, compose(file, "up", "-d"))
const down = (engine: Engine, file: string) => timed(engine, compose(file, "down", "-t", "0"))

async function upOnly(engine: Engine, file: string): Promise<number> {
  const ms = await up(engine, file)
  await down(engine, file)
  return ms
}

async function downOnly(engine: Engine, file: string): Promise<number> {
  await up(engine, file)
  return down(engine, file)
}

const best = (ratio: number) => ({ ratio, peer: "best" as const })

export function composeMeasures(image: string, directory: string, quick: boolean): Measure[] {
  const rounds = quick ? 3 : 11
  const few = quick ? 1 : 5
  const three = project("three", 3, 3)
  const many = project("many", MANY, CHAIN)
  const large = write(join(directory, "compose-large"), largeFile(image))
  function project(name: string, services: number, chain: number): string {
    const text = Array.from({ length: services }, (_, index) => {
      const waits = index > 0 && index < chain ? `\n    depends_on: [s${index - 1}]` : ""
      return `  s${index}:\n    image: ${image}\n    command: sleep 1000\n    stop_grace_period: 0s${waits}`
    })
    return write(join(directory, `compose-${name}`), `services:\n${text.join("\n")}\n`)
  }

  return [
    {
      name: `compose config, ${LARGE} services`,
      unit: "ms",
      by: "compose",
      rounds: quick ? 5 : 21,
      target: best(0.3),
      round: (engine) => timed(engine, compose(large, "config", "-q")),
    },
    {
      name: "compose up -d, 3 services",
      unit: "ms",
      by: "compose",
      rounds,
      target: best(0.25),
      round: (engine) => upOnly(engine, three),
    },
    {
      name: "compose down, 3 services",
      unit: "ms",
      by: "compose",
      rounds,
      target: best(0.25),
      round: (engine) => downOnly(engine, three),
    },
    {
      name: `compose up -d, ${MANY} services, a chain of ${CHAIN}`,
      unit: "s",
      by: "compose",
      rounds: few,
      target: best(0.25),
      round: async (engine) => (await upOnly(engine, many)) / 1_000,
    },
    {
      name: `compose down, ${MANY} services`,
      unit: "s",
      by: "compose",
      rounds: few,
      target: best(0.25),
      round: async (engine) => (await downOnly(engine, many)) / 1_000,
    },
    {
      name: `compose up -d, ${MANY} services, nothing changed`,
      unit: "ms",
      by: "compose",
      rounds,
      target: best(0.25),
      before: async (engine) => void (await up(engine, many)),
      round: (engine) => up(engine, many),
      after: async (engine) => void (await down(engine, many)),
    },
    {
      name: `compose ps, ${MANY} services`,
      unit: "ms",
      by: "compose",
      rounds,
      target: best(0.3),
      before: async (engine) => void (await up(engine, many)),
      round: (engine) => timed(engine, compose(many, "ps")),
      after: async (engine) => void (await down(engine, many)),
    },
    {
      name: `compose logs, ${MANY} services, ${LOG_LINES.toLocaleString("en")} lines each`,
      unit: "s",
      by: "compose",
      rounds: few,
      before: async (engine) => void (await timed(engine, compose(talking(), "up"))),
      round: async (engine) => {
        const begin = performance.now()
        const lines = output(engine, compose(talking(), "logs", "--no-color")).split("\n").length - 1
        const wanted = MANY * LOG_LINES
        if (lines !== wanted) throw new Error(`${lines} lines of ${wanted}`)
        return (performance.now() - begin) / 1_000
      },
      after: async (engine) => void (await down(engine, talking())),
    },
  ]

  function talking(): string {
    const text = Array.from(
      { length: MANY },
      (_, index) => `  s${index}:\n    image: ${image}\n    command: seq ${LOG_LINES}`,
    )
    return write(join(directory, "compose-talking"), `services:\n${text.join("\n")}\n`)
  }
}

const LOG_LINES = 10_000

function write(directory: string, text: string): string {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, "compose.yaml")
  writeFileSync(file, text)
  return file
}

/** Every common key, in short and long forms, with variables, anchors and merges. */
function largeFile(image: string): string {
  const services = Array.from({ length: LARGE }, (_, index) => {
    const waits = index === 0 ? "" : `\n    depends_on:\n      s${index - 1}: {condition: service_started}`
    return `  s${index}:
    <<: *base
    image: ${image}
    command: ["sh", "-c", "sleep \${SECONDS_OF_SLEEP:-${index}}"]
    ports: ["${20_000 + index}:80", {target: 443, published: "${30_000 + index}"}]
    environment:
      NUMBER: ${index}
      NAME: "service-\${COMPOSE_PROJECT_NAME}-${index}"
    volumes: ["data${index % 10}:/data", "./conf:/conf:ro"]
    networks: {front: {aliases: [a${index}]}, back: null}
    healthcheck: {test: "true", interval: 1m30s}
    deploy: {resources: {limits: {memory: 64m, cpus: "0.5"}}}${waits}`
  })
  const volumes = Array.from({ length: 10 }, (_, index) => `  data${index}: {}`)
  return `x-base: &base
  restart: unless-stopped
  logging: {driver: json-file, options: {max-size: 10m}}
  labels: {team: bench, tier: "1"}
services:
${services.join("\n")}
networks: {front: {}, back: {internal: true}}
volumes:
${volumes.join("\n")}
`
}
