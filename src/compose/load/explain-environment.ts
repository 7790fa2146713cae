import { defaultEnvFile, namedEnvFiles, processEnvironment, readEnvFiles, type Environment } from "./environment.ts"
import { readBounded } from "./read-file.ts"
import type { LoadRequest } from "./request.ts"

/** Where a variable's value comes from, and which values of the same name do not count. */
export interface ExplainedVariable {
  name: string
  value: string
  source: VariableSource
  shadows: (VariableSource & { value: string })[]
}

/** The process's environment, or a line of a file; the project's name is neither's. */
export interface VariableSource {
  from: "environment" | "file" | "project"
  /** Absolute. */
  file?: string
  /** From 1. */
  line?: number
}

/** Each variable that interpolation saw (`environment`, of a project loaded from `directory`), sorted by name. */
export async function explainEnvironment(
  request: LoadRequest,
  directory: string,
  environment: Readonly<Record<string, string>>,
): Promise<ExplainedVariable[]> {
  const layers = await readLayers(request, directory)
  return Object.entries(environment)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      const sources = layers.filter((layer) => Object.hasOwn(layer.values, name)).map((layer) => sourceIn(layer, name))
      const [first, ...shadows] = sources
      if (first?.value === value) return { name, value, source: withoutValue(first), shadows }
      return { name, value, source: { from: "project" }, shadows: sources }
    })
}

function withoutValue({ from, file, line }: VariableSource): VariableSource {
  return { from, ...(file !== undefined && { file }), ...(line !== undefined && { line }) }
}

/** Values of one place; earlier layers win. */
interface Layer {
  values: Environment
  file?: string
  text?: string
}

async function readLayers(request: LoadRequest, directory: string): Promise<Layer[]> {
  const process = processEnvironment(request)
  const named = namedEnvFiles(request)
  const here = await defaultEnvFile(request.currentDirectory, process)
  const there = await defaultEnvFile(directory, process)
  // of files named by the caller the last one wins, of `.env` files the first
  const files = named.length > 0 ? named.toReversed() : [...new Set([...here, ...there])]
  const layers: Layer[] = [{ values: process }]
  for (const file of files) {
    const values = await readEnvFiles([file], process, () => {})
    layers.push({ values, file, text: new TextDecoder().decode(await readBounded(file)) })
  }
  return layers
}

function sourceIn({ values, file, text }: Layer, name: string): VariableSource & { value: string } {
  const value = values[name] ?? ""
  if (file === undefined) return { from: "environment", value }
  const lines = (text ?? "").split("\n")
  const at = lines.findLastIndex((line) => /^\s*(?:export\s+)?([^\s=:#]+)/.exec(line)?.[1] === name)
  return { from: "file", file, ...(at >= 0 && { line: at + 1 }), value }
}
