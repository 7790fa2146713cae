/** Services that a program of the host provides, and no container. */
import { FailedPrecondition, NotFound } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { findProgram } from "../../sys/host.ts"
import { callerEnvironment } from "../../sys/process/caller-environment.ts"
import { run } from "../../sys/process/process.ts"
import { inOrder } from "../plan/project-plan.ts"
import type { Project, Service } from "../project.ts"
import type { VerbOptions } from "../verbs.ts"
import { act } from "./act.ts"

type Verb = "up" | "down"

/** Calls the providers of a project. Gives the project, whose dependents know by then what these said (`DB_URL`, of `URL` from a service `db`). */
export async function provide(project: Project, verb: Verb, options: VerbOptions): Promise<Project> {
  const keys = inOrder(project.services).filter((key) => project.services[key]?.provider !== undefined)
  if (keys.length === 0) return project
  const services = { ...project.services }
  for (const key of verb === "up" ? keys : keys.toReversed()) {
    const said = await callProvider(project, key, verb, options)
    for (const [name, service] of Object.entries(services))
      if (Object.hasOwn(service.depends_on ?? {}, key)) services[name] = withVariables(service, key, said)
  }
  return { ...project, services }
}

function withVariables(service: Service, provider: string, said: ReadonlyMap<string, string>): Service {
  const prefix = provider.toUpperCase().replaceAll("-", "_")
  const given = [...said].map(([name, value]) => [`${prefix}_${name}`, value])
  return { ...service, environment: { ...service.environment, ...Object.fromEntries(given) } }
}

/** `TYPE compose --project-name=P up --k=v … S`; gives the variables that it set. Throws NotFound, FailedPrecondition. */
async function callProvider(
  project: Project,
  key: string,
  verb: Verb,
  options: VerbOptions,
): Promise<ReadonlyMap<string, string>> {
  const { type = "", options: words = {} } = project.services[key]?.provider ?? {}
  const program = findProgram(`docker-${type}`) ?? findProgram(type)
  if (program === undefined)
    throw new NotFound(`service "${key}": there is no provider "${type}"`, {
      hint: `a program docker-${type} or ${type} of the PATH`,
      data: { key: `services.${key}.provider.type` },
    })
  const given = Object.entries(words).flatMap(([name, value]) => [value].flat().map((each) => `--${name}=${each}`))
  const argv = [program, "compose", `--project-name=${project.name}`, verb, ...given, key]
  const said = new Map<string, string>()
  const states = verb === "up" ? (["Creating", "Created"] as const) : (["Removing", "Removed"] as const)
  await act(options, { kind: "provider", name: key }, states, async () => {
    const { code, stdout, stderr } = await run(argv, {
      cwd: project.workingDirectory,
      env: { ...callerEnvironment(), ...project.environment },
      signal: options.signal,
    })
    const failure = heed(stdout, said)
    if (failure !== undefined || code !== 0)
      throw new FailedPrecondition(
        `service "${key}": provider "${type}" failed: ${failure ?? (stderr.trim() || `it ended with ${code}`)}`,
        {
          data: { service: key, status: code },
        },
      )
  })
  return said
}

/** Its messages, a JSON object a line; gives that of an error. */
function heed(text: string, said: Map<string, string>): string | undefined {
  let failure: string | undefined
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    const { type, message } = parseLine(line)
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(message) ?? []
    if (type === "setenv" && name !== undefined) said.set(name, value ?? "")
    else if (type === "error") failure = message
    else log.debug(message)
  }
  return failure
}

function parseLine(line: string): { type: string; message: string } {
  try {
    const { type, message } = JSON.parse(line) as { type?: unknown; message?: unknown }
    return { type: String(type), message: String(message ?? "") }
  } catch {
    return { type: "debug", message: line }
  }
}
