import type { Container, EnvFromSource, EnvVar } from "kubernetes-types/core/v1"
import { expandVariables } from "./expand.ts"
import { fieldFault, missingReference, type Warnings } from "./field-fault.ts"
import { fieldValue, resourceValue } from "./field-ref.ts"
import type { NodeInput } from "./node-pod.ts"
import { configMapData, secretData, type ReferredData } from "./referred-data.ts"

/** What a container's variables are made with. */
export interface EnvironmentInput extends Pick<NodeInput, "pod" | "sources" | "facts"> {
  container: Container
  /** `spec.containers[0]`. */
  path: string
  warnings: Warnings
}

/**
 * The variables that a container's `envFrom` and `env` make, in order; a later one of the same name counts, and a value may name those
 * before it as `$(NAME)`. Throws InvalidArgument, and NotFound for what is referred to and not optional.
 */
export function variablesOf(input: EnvironmentInput): Map<string, string> {
  const variables = new Map<string, string>()
  for (const [index, source] of (input.container.envFrom ?? []).entries())
    for (const [name, value] of fromSource(source, input, `${input.path}.envFrom[${index}]`)) variables.set(name, value)
  for (const [index, variable] of (input.container.env ?? []).entries()) {
    const path = `${input.path}.env[${index}]`
    checkName(variable.name, path)
    const value = valueOf(variable, input, path, variables)
    if (value !== undefined) variables.set(variable.name, withoutNul(value, path))
  }
  return variables
}

function checkName(name: string | undefined, path: string): void {
  if (!name || /[=\0]/.test(name))
    throw fieldFault(`${path}.name`, `"${(name ?? "").slice(0, 100)}" is no name of a variable`)
}

function withoutNul(value: string, path: string): string {
  if (value.includes("\0")) throw fieldFault(path, "a variable cannot hold a NUL byte")
  return value
}

function valueOf(
  { value = "", valueFrom }: EnvVar,
  input: EnvironmentInput,
  path: string,
  known: ReadonlyMap<string, string>,
): string | undefined {
  if (valueFrom === undefined) return expandVariables(value, (name) => known.get(name))
  if (value !== "") throw fieldFault(`${path}.valueFrom`, "may not be specified when `value` is not empty")
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = valueFrom
  const from = `${path}.valueFrom`
  if (configMapKeyRef) return ofKey(configMapKeyRef, "configmap", input, `${from}.configMapKeyRef`)
  if (secretKeyRef) return ofKey(secretKeyRef, "secret", input, `${from}.secretKeyRef`)
  if (fieldRef) return fieldValue(input.pod, input.facts, fieldRef, `${from}.fieldRef`)
  if (resourceFieldRef) {
    const container = containerNamed(input, resourceFieldRef.containerName, `${from}.resourceFieldRef`)
    return resourceValue(container, input.facts, resourceFieldRef, `${from}.resourceFieldRef`)
  }
  throw fieldFault(from, "names no source that is known here")
}

function containerNamed({ pod, container }: EnvironmentInput, name: string | undefined, path: string): Container {
  if (!name || name === container.name) return container
  const found = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].find((one) => one.name === name)
  if (!found) throw missingReference(path, `the pod has no container "${name}"`)
  return found
}

function ofKey(
  { name = "", key, optional = false }: { name?: string; key: string; optional?: boolean },
  kind: "configmap" | "secret",
  input: EnvironmentInput,
  path: string,
): string | undefined {
  const data = referredData(kind, name, input, path)
  const value = data?.get(key)
  if (value !== undefined) return Buffer.from(value).toString()
  if (optional) return undefined
  throw missingReference(
    path,
    data === undefined ? `${kind} ${name} not found` : `key ${key} not found in ${kind} ${name}`,
    optionalHint,
  )
}

const optionalHint = "put the object into the same file, or say `optional: true`"

/** Undefined: it is not there. */
export function referredData(
  kind: "configmap" | "secret",
  name: string,
  { sources }: Pick<NodeInput, "sources">,
  path: string,
): ReferredData | undefined {
  if (kind === "secret") {
    const secret = sources.secret(name)
    return secret && secretData(secret, path)
  }
  const map = sources.configMap(name)
  return map && configMapData(map, path)
}

function fromSource(source: EnvFromSource, input: EnvironmentInput, path: string): [string, string][] {
  const { prefix = "", configMapRef, secretRef } = source
  const ref = configMapRef ?? secretRef
  if (ref === undefined) throw fieldFault(path, "names no source that is known here")
  const kind = configMapRef ? "configmap" : "secret"
  const { name = "", optional = false } = ref
  const data = referredData(kind, name, input, path)
  if (data === undefined) {
    if (optional) return []
    throw missingReference(path, `${kind} ${name} not found`, optionalHint)
  }
  return [...data].flatMap(([key, value]) => {
    const text = Buffer.from(value).toString()
    if (key === "" || /[=\0]/.test(key) || text.includes("\0")) {
      input.warnings.add(path, `"${key.slice(0, 100)}" of ${kind} ${name} cannot be a variable, and is left out`)
      return []
    }
    return [[`${prefix}${key}`, text] as [string, string]]
  })
}
