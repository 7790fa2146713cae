import { existsSync, readFileSync } from "node:fs"
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { BAKE_FILES, readBake, type BakeSource, type Definition } from "../../bake/bake.ts"
import type { Engine } from "../../engine/engine.ts"
import { callerEnvironment } from "../../sys/process/caller-environment.ts"

const COMPOSE_FILES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"]

/** The definition that the named files are, or those that bake looks for. Throws FailedPrecondition where there is none. */
export async function readDefinition(engine: Engine, named: readonly string[]): Promise<Definition> {
  const files = named.length > 0 ? named : [...COMPOSE_FILES, ...BAKE_FILES].filter((name) => existsSync(name))
  if (files.length === 0)
    throw new FailedPrecondition("couldn't find a bake definition", {
      hint: `looked for ${[...BAKE_FILES, ...COMPOSE_FILES].join(", ")}`,
    })
  const projects = files.filter((name) => /\.ya?ml$/.test(name))
  const sources: BakeSource[] = []
  if (projects.length > 0) sources.push({ project: await projectOf(engine, projects) })
  for (const name of files) if (!projects.includes(name)) sources.push({ name, text: await readSource(name) })
  return readBake(sources, { environment: callerEnvironment(), directory: process.cwd() })
}

async function projectOf(engine: Engine, files: readonly string[]) {
  const compose = await engine.compose()
  const { project, warnings } = await compose.load({
    currentDirectory: process.cwd(),
    files,
    readStandardInput,
    projectName: undefined,
    projectDirectory: undefined,
    profiles: ["*"],
    environmentFiles: [],
    environment: callerEnvironment(),
    services: [],
    skipEnvironmentResolution: true,
  })
  for (const { message } of warnings) log.warn(message)
  return project
}

async function readSource(name: string): Promise<string> {
  if (name === "-") return readStandardInput()
  try {
    return readFileSync(name, "utf8")
  } catch (cause) {
    throw new InvalidArgument(`cannot read the bake file "${name}"`, { cause })
  }
}

async function readStandardInput(): Promise<string> {
  return (await import("node:stream/consumers")).text(process.stdin)
}
