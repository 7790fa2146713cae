import { existsSync, readFileSync, statSync } from "node:fs"
import { InvalidArgument } from "../../base/errors.ts"
import { DEFAULT_RULES, RULES, type RuleName, type RuleValues } from "../../explore/explore.ts"
import { readYaml, yamlLines, YamlSyntaxError, type YamlMap, type YamlNode } from "../../spec/yaml/read-yaml.ts"
import { fileFailure } from "../file-failure.ts"

const DEFAULT_FILE = ".dive-ci"
const MAX_BYTES = 1 << 20

/** dive's words for the rules, of all its versions. */
const NAMES: Readonly<Record<string, RuleName>> = {
  lowestefficiency: "lowestEfficiency",
  lowestefficiencythreshold: "lowestEfficiency",
  highestwastedbytes: "highestWastedBytes",
  highestuserwastedpercent: "highestUserWastedPercent",
}

/** dive's defaults, what its file says, and what flags say: the later wins. Throws InvalidArgument. */
export function readCiRules(
  file: string | undefined,
  flags: Partial<Record<RuleName, string | undefined>>,
): RuleValues {
  const path = file ?? DEFAULT_FILE
  const values: Record<RuleName, string> = { ...DEFAULT_RULES }
  if (file !== undefined || existsSync(path)) Object.assign(values, readRules(path))
  for (const name of RULES) values[name] = flags[name] ?? values[name]
  return values
}

function readRules(path: string): Partial<Record<RuleName, string>> {
  const document = parse(path, read(path))
  const top = document?.kind === "map" ? document : undefined
  if (document !== undefined && top === undefined)
    throw new InvalidArgument(`"${path}" is no file of dive's rules: it is no map`)
  const rules = top === undefined ? undefined : (valueOf(top, "rules") ?? top)
  const found: Partial<Record<RuleName, string>> = {}
  for (const { key, value } of rules?.kind === "map" ? rules.pairs : []) {
    const name = key.kind === "scalar" ? NAMES[key.text.toLowerCase().replaceAll(/[-_]/g, "")] : undefined
    if (name === undefined) continue
    if (value.kind !== "scalar") throw new InvalidArgument(`rule ${name} of "${path}" is no value`)
    found[name] = value.text
  }
  return found
}

function read(path: string): string {
  try {
    // the one of the working directory is a stranger's: neither a pipe without a writer is waited for, nor /dev/zero read
    const stat = statSync(path)
    if (!stat.isFile()) throw new InvalidArgument(`"${path}" is no file of dive's rules: it is no file`)
    if (stat.size > MAX_BYTES) throw new InvalidArgument(`"${path}" is too large for a file of rules`)
    return readFileSync(path, "utf8")
  } catch (cause) {
    if (cause instanceof InvalidArgument) throw cause
    throw new InvalidArgument(`cannot read "${path}": ${fileFailure(cause)}`, { cause })
  }
}

function parse(path: string, text: string): YamlNode | undefined {
  try {
    return readYaml(yamlLines(text))[0]
  } catch (cause) {
    if (!(cause instanceof YamlSyntaxError)) throw cause
    throw new InvalidArgument(`"${path}" is no YAML: ${cause.message}`, { cause })
  }
}

function valueOf(map: YamlMap, name: string): YamlNode | undefined {
  return map.pairs.find(({ key }) => key.kind === "scalar" && key.text === name)?.value
}
