import { InvalidArgument, SkiffError } from "../base/errors.ts"
import { evaluate, within, type Scope } from "./hcl/evaluate.ts"
import type { Block } from "./hcl/syntax.ts"
import { itemsOf, textOf } from "./hcl/value.ts"
import { combinations, type BakeVariable, type Module } from "./module.ts"
import { isTargetKey, mergeTargets, readKey, type BakeTarget, type TargetDraft } from "./target.ts"

/** All that the files say, before anything is chosen of it. */
export interface Definition {
  groups: Map<string, readonly string[]>
  /** Of groups that are described. */
  descriptions: Map<string, string>
  targets: Map<string, TargetDraft>
  variables: readonly BakeVariable[]
}

/** Throws InvalidArgument for a value or a name that is wrong. */
export function definitionOf(module: Module): Definition {
  module.validate()
  const definition: Definition = {
    groups: new Map(),
    descriptions: new Map(),
    targets: new Map(),
    variables: module.variables(),
  }
  for (const block of module.blocks("group")) addGroup(definition, block, module)
  const matrices = new Map<string, string[]>()
  for (const block of module.blocks("target")) addTargets(definition, block, module, matrices)
  for (const [name, targets] of matrices) definition.groups.set(name, targets)
  return definition
}

/** Lays a target over what there is of that name. */
export function addTarget({ targets }: Definition, name: string, draft: TargetDraft): void {
  if (!/^[\w-]+$/.test(name)) throw new InvalidArgument(`invalid target name "${name}"`)
  const before = targets.get(name)
  targets.set(name, {
    inherits: draft.inherits.length > 0 ? draft.inherits : (before?.inherits ?? []),
    own: mergeTargets(before?.own ?? {}, draft.own),
  })
}

function addGroup({ groups, descriptions }: Definition, { labels: [label = ""], body }: Block, module: Module): void {
  const targets = body.attributes.get("targets")
  if (targets) groups.set(label, itemsOf(evaluate(targets.value, module)).map(textOf))
  const description = body.attributes.get("description")
  if (description) descriptions.set(label, textOf(evaluate(description.value, module)))
}

function addTargets(definition: Definition, block: Block, module: Module, matrices: Map<string, string[]>): void {
  const [label = ""] = block.labels
  const matrix = block.body.attributes.get("matrix")
  const name = block.body.attributes.get("name")
  if (!matrix) return addTarget(definition, label, draftOf(block, module))
  if (!name) throw new InvalidArgument(`target "${label}" has a matrix and no name`, { data: { at: block.at } })
  const names: string[] = []
  for (const row of combinations(evaluate(matrix.value, module))) {
    const scope = within(module, row)
    const one = textOf(evaluate(name.value, scope)).replaceAll(".", "-")
    names.push(one)
    addTarget(definition, one, draftOf(block, scope))
  }
  matrices.set(label, names)
}

function draftOf({ labels: [label = ""], body }: Block, scope: Scope): TargetDraft {
  const own: Record<string, unknown> = {}
  let inherits: string[] = []
  for (const [key, { value, at }] of body.attributes) {
    if (key === "matrix" || key === "name") continue
    const found = evaluate(value, scope)
    if (key === "inherits") inherits = itemsOf(found ?? []).map(textOf)
    else own[keyOf(key, at)] = reading(label, key, at, () => readKey(keyOf(key, at), found))
  }
  return { inherits, own: own as BakeTarget }
}

/** Older names of two keys are still read. */
function keyOf(key: string, at: number): keyof BakeTarget {
  const name = key === "secrets" ? "secret" : key === "outputs" ? "output" : key
  if (isTargetKey(name)) return name
  throw new InvalidArgument(`a target has no "${key}"`, { data: { at } })
}

function reading<T>(label: string, key: string, at: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof SkiffError)
      throw error.restated(`target "${label}": ${key}: ${error.message}`, { data: { at } })
    throw error
  }
}
