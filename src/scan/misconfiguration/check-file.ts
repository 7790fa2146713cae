import { checkDockerfileRules } from "./dockerfile/check-dockerfile.ts"
import { checkCompose, isCompose } from "./yaml/check-compose.ts"
import { checkKubernetes, isKubernetes } from "./yaml/check-kubernetes.ts"
import { MAX_YAML_BYTES, yamlViews, type YamlView } from "./yaml/yaml-view.ts"
import { parseDockerfile } from "../../dockerfile/parse-dockerfile.ts"
import { MAX_DOCKERFILE_BYTES } from "../../dockerfile/dockerfile.ts"
import { InvalidArgument } from "../../base/errors.ts"
import { stepWithoutSecrets } from "../secret/config-without-secrets.ts"
import type { CheckedFile, Misconfiguration } from "../scan.ts"

/** What a file is, by its name alone: YAML may turn out to be none of those that there are rules for. */
export type ConfigFile = "dockerfile" | "yaml"

/** Of a name, without directories; undefined: nothing that there are rules for. */
export function configFileKind(name: string): ConfigFile | undefined {
  if (/^(?:docker|container)file(?:[.-].*)?$|\.(?:docker|container)file$/i.test(name))
    return /\.(?:dockerignore|containerignore|md|txt|swp|bak|orig)$/i.test(name) ? undefined : "dockerfile"
  return /\.ya?ml$/i.test(name) ? "yaml" : undefined
}

/** More bytes than this are not read of such a file. */
export const MAX_CONFIG_FILE_BYTES = Math.max(MAX_DOCKERFILE_BYTES, MAX_YAML_BYTES)
/** In one file: nobody reads more. */
const MAX_FOUND = 2_000

/** The rules of its kind on one file. `path`: absolute in the subject, for people. Never throws for what is in the file. */
export function checkConfigFile(kind: ConfigFile, text: string, path: string): CheckedFile {
  const checked = checkWhole(kind, text, path)
  quoteLines(checked.found, text)
  if (checked.found.length <= MAX_FOUND) return checked
  return { ...checked, found: checked.found.slice(0, MAX_FOUND), unread: `more than ${MAX_FOUND} faults are in it` }
}

/** Of one finding, as Trivy quotes. */
const MAX_LINES = 10
const MAX_LINE = 512

function quoteLines(found: readonly Misconfiguration[], text: string): void {
  const lines = text.split(/\r?\n/)
  for (const each of found.slice(0, MAX_FOUND)) {
    const { startLine, endLine = startLine } = each.place
    if (startLine === undefined || endLine === undefined) continue
    const end = Math.min(endLine, startLine + MAX_LINES - 1)
    each.code = lines.slice(startLine - 1, end).map((line) => stepWithoutSecrets(line.slice(0, MAX_LINE)))
  }
}

function checkWhole(kind: ConfigFile, text: string, path: string): CheckedFile {
  try {
    if (kind === "dockerfile")
      return {
        types: ["dockerfile"],
        found: checkDockerfileRules(parseDockerfile(text, path.slice(path.lastIndexOf("/") + 1)), path),
      }
    return checkDocuments(yamlViews(text), path)
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error)
    // a template of Helm's is YAML only once it is filled in
    if (kind === "yaml" && !/^\s*(?:services|apiVersion|kind)\s*:/m.test(text.slice(0, 64 * 1024)))
      return { types: [], found: [] }
    return {
      types: [],
      found: [],
      unread: text.includes("{{") && kind === "yaml" ? "it is a template" : reason.slice(0, 200),
    }
  }
}

function checkDocuments(documents: readonly YamlView[], path: string): CheckedFile {
  const types = new Set<"compose" | "kubernetes">()
  const found: Misconfiguration[] = []
  for (const document of documents) {
    if (found.length > MAX_FOUND) break
    if (isKubernetes(document)) {
      types.add("kubernetes")
      for (const each of checkKubernetes(document, path)) found.push(each)
    } else if (isCompose(document)) {
      types.add("compose")
      for (const each of checkCompose(document, path)) found.push(each)
    }
  }
  const isCloud = types.size === 0 && documents.some((each) => each.get("AWSTemplateFormatVersion") !== undefined)
  return { types: [...types], found, ...(isCloud ? { unread: "there are no rules for CloudFormation" } : {}) }
}

/** See `Scans.checkFile`. */
export function checkNamedFile(path: string, text: string): CheckedFile {
  const name = path.slice(path.lastIndexOf("/") + 1)
  const kind = configFileKind(name)
  const checked = kind === undefined ? { types: [], found: [] } : checkConfigFile(kind, text, path)
  if (checked.types.length === 0 && checked.unread === undefined)
    throw new InvalidArgument(`there are no rules for "${path}"`, {
      hint: "expected a Dockerfile, a compose file, or objects of Kubernetes in YAML",
    })
  return checked
}
