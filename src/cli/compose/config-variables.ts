import { log } from "../../base/log.ts"
import type { ExplainedVariable, ModelVariable, VariableSource } from "../../compose/compose.ts"
import type { Out } from "../out.ts"
import type { ComposeSession } from "./compose-session.ts"

/** Variables that the files name: a table, or documents as docker's. */
export async function printVariables(
  compose: ComposeSession,
  format: "yaml" | "json" | undefined,
  out: Out,
): Promise<void> {
  const domain = await compose.compose()
  const { variables, warnings } = await domain.variables(compose.request())
  for (const { message } of warnings) log.warn(message)
  if (format === "json")
    out.line(`${JSON.stringify(Object.fromEntries(variables.map((one) => [one.name, jsonVariable(one)])), null, 4)}\n`)
  else if (format === "yaml") out.text(variables.map(yamlVariable).join(""))
  else for (const line of tableOf(variables)) out.line(line)
}

function jsonVariable({ name, defaultValue, presenceValue, required }: ModelVariable): object {
  return { Name: name, DefaultValue: defaultValue, PresenceValue: presenceValue, Required: required }
}

function yamlVariable({ name, defaultValue, presenceValue, required }: ModelVariable): string {
  const rows = [
    `name: ${text(name)}`,
    `defaultvalue: ${text(defaultValue)}`,
    `presencevalue: ${text(presenceValue)}`,
    `required: ${required}`,
  ]
  return `${text(name)}:\n${rows.map((row) => `    ${row}\n`).join("")}`
}

function text(value: string): string {
  return /^[A-Za-z/_][\w./-]*$/.test(value) ? value : JSON.stringify(value)
}

const LEAST_WIDTH = 20
const GAP = 3

/** Columns as docker's, the last one as long as it is. */
function tableOf(variables: readonly ModelVariable[]): string[] {
  const rows = [
    ["NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"],
    ...variables.map(({ name, required, defaultValue, presenceValue }) => [
      name,
      String(required),
      defaultValue,
      presenceValue,
    ]),
  ]
  const widths = [0, 1, 2].map((column) =>
    Math.max(LEAST_WIDTH, ...rows.map((row) => (row[column] ?? "").length + GAP)),
  )
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(""))
}

/** What interpolation sees: `K=V`, or with where each is from. */
export async function printEnvironment(
  compose: ComposeSession,
  { explain, format }: { explain: boolean; format: "yaml" | "json" | undefined },
  out: Out,
): Promise<void> {
  const project = await compose.project([], { skipConsistency: true, skipEnvironmentResolution: true })
  if (!explain) {
    const names = Object.keys(project.environment).toSorted()
    for (const name of names) out.line(`${name}=${project.environment[name]}`)
    return
  }
  const variables = await (await compose.compose()).explainEnvironment(compose.request(), project)
  if (format === "json") out.json(variables)
  else for (const variable of variables) for (const line of explained(variable)) out.line(line)
}

function explained({ name, value, source, shadows }: ExplainedVariable): string[] {
  return [
    `${name}=${value}`,
    `    from ${placeOf(source)}`,
    ...shadows.map((one) => `    not ${JSON.stringify(one.value)} from ${placeOf(one)}`),
  ]
}

function placeOf({ from, file, line }: VariableSource): string {
  if (from === "environment") return "the environment"
  if (from === "project") return "the project"
  return line === undefined ? (file ?? "") : `${file}:${line}`
}
