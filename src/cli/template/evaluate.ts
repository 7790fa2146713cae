import { isSkiffError } from "../../base/errors.ts"
import { nearest } from "../../base/nearest.ts"
import { FUNCTIONS, truth, type TemplateFunctions } from "./functions.ts"
import type { Field, Node, Operand, Pipeline, Template } from "./parser.ts"
import { show } from "./printf.ts"
import { templateError } from "./template-error.ts"

/** Begins the reason when a struct lacks the field. */
export const UNKNOWN_FIELD = "can't evaluate field"

/**
 * Fills a template in. Objects are Go's structs: a field that is not there is an error, a function is a method. A `Map` is
 * Go's map: a missing key is `<no value>`. `more`: functions beside the usual ones. Throws InvalidArgument with the position.
 */
export function evaluate(template: Template, data: unknown, more: TemplateFunctions = {}): string {
  const run = new Evaluation(template.source, { ...FUNCTIONS, ...more })
  run.nodes(template.nodes, { dot: data, variables: new Scope(undefined, [["$", data]]) })
  return run.text
}

/** What an action sees: the current value and the variables. */
interface View {
  dot: unknown
  variables: Scope
}

class Scope {
  readonly #outer: Scope | undefined
  readonly #values: Map<string, unknown>

  constructor(outer: Scope | undefined, entries: readonly [string, unknown][] = []) {
    this.#outer = outer
    this.#values = new Map(entries)
  }

  find(name: string): Scope | undefined {
    return this.#values.has(name) ? this : this.#outer?.find(name)
  }

  get(name: string): unknown {
    return this.#values.get(name)
  }

  set(name: string, value: unknown): void {
    this.#values.set(name, value)
  }
}

type Leave = "break" | "continue" | undefined

class Evaluation {
  text = ""
  readonly #source: string
  readonly #functions: TemplateFunctions

  constructor(source: string, functions: TemplateFunctions) {
    this.#source = source
    this.#functions = functions
  }

  /** Runs nodes in a view; tells how a loop around them goes on. */
  nodes(nodes: readonly Node[], view: View): Leave {
    for (const node of nodes) {
      const leave = this.#node(node, view)
      if (leave) return leave
    }
    return undefined
  }

  #node(node: Node, view: View): Leave {
    switch (node.kind) {
      case "text":
        this.text += node.text
        return undefined
      case "print":
        this.text += plainField(node.pipeline, view.dot) ?? show(this.#pipeline(node.pipeline, view))
        return undefined
      case "set":
        this.#assign(node, view)
        return undefined
      case "if":
      case "with": {
        const value = this.#pipeline(node.pipeline, view)
        const variables = new Scope(
          view.variables,
          node.names.map((name) => [name, value]),
        )
        if (!truth(value)) return this.nodes(node.otherwise, { ...view, variables })
        return this.nodes(node.body, { dot: node.kind === "with" ? value : view.dot, variables })
      }
      case "range":
        return this.#range(node, view)
      case "break":
      case "continue":
        return node.kind
    }
  }

  #assign(node: Extract<Node, { kind: "set" }>, view: View): void {
    const value = this.#pipeline(node.pipeline, view)
    for (const name of node.names) {
      const scope = node.declares ? view.variables : view.variables.find(name)
      if (!scope) throw templateError(this.#source, node.at, `undefined variable "${name}"`)
      scope.set(name, value)
    }
  }

  #range(node: Extract<Node, { kind: "range" }>, view: View): Leave {
    const entries = this.#entries(this.#pipeline(node.pipeline, view), node.at)
    if (entries.length === 0) return this.nodes(node.otherwise, view)
    const [first, second] = node.names
    for (const [key, value] of entries) {
      const variables = new Scope(view.variables)
      if (first !== undefined && second !== undefined) {
        variables.set(first, key)
        variables.set(second, value)
      } else if (first !== undefined) variables.set(first, value)
      if (this.nodes(node.body, { dot: value, variables }) === "break") break
    }
    return undefined
  }

  #entries(value: unknown, at: number): [unknown, unknown][] {
    if (value === undefined || value === null) return []
    if (Array.isArray(value)) return [...value.entries()]
    if (value instanceof Map) return byKey([...(value as Map<string, unknown>)])
    if (typeof value === "object") return byKey(Object.entries(value))
    throw templateError(this.#source, at, `range can't iterate over ${show(value)}`)
  }

  #pipeline(pipeline: Pipeline, view: View): unknown {
    let carried: unknown[] = []
    for (const stage of pipeline.stages) carried = [this.#command(stage, view, carried)]
    return carried[0]
  }

  #command(operands: readonly Operand[], view: View, carried: readonly unknown[]): unknown {
    const [head, ...rest] = operands
    if (!head) return undefined
    if (head.kind === "function") return this.#call(head.name, rest, view, carried, head.at)
    const value = head.kind === "literal" ? head.value : this.#path(head, view, [...rest, ...carried.map(literal)])
    if (head.kind === "literal" && rest.length + carried.length > 0)
      throw templateError(this.#source, 0, `can't give argument to non-function ${show(value)}`)
    return value
  }

  #call(name: string, operands: readonly Operand[], view: View, carried: readonly unknown[], at: number): unknown {
    if (name === "and" || name === "or") {
      // short-circuit, as Go's: the first false (or true) one, else the last
      let value: unknown
      for (const operand of [...operands, ...carried.map(literal)]) {
        value = this.#value(operand, view)
        if (truth(value) === (name === "or")) break
      }
      return value
    }
    const body = Object.hasOwn(this.#functions, name) ? this.#functions[name] : undefined
    if (!body) throw templateError(this.#source, at, `function "${name}" not defined`)
    const args = [...operands.map((operand) => this.#value(operand, view)), ...carried]
    try {
      return body(...args)
    } catch (error) {
      throw isSkiffError(error) ? templateError(this.#source, at, error.message) : error
    }
  }

  #value(operand: Operand, view: View): unknown {
    return this.#command([operand], view, [])
  }

  #path(path: Extract<Operand, { kind: "path" }>, view: View, operands: readonly Operand[]): unknown {
    let value: unknown
    if (path.base === "dot") value = view.dot
    else if ("variable" in path.base) {
      const scope = view.variables.find(path.base.variable)
      if (!scope) throw templateError(this.#source, path.at, `undefined variable "${path.base.variable}"`)
      value = scope.get(path.base.variable)
    } else value = this.#pipeline(path.base, view)
    path.fields.forEach((field, index) => {
      const isLast = index === path.fields.length - 1
      value = this.#field(value, field, isLast ? operands.map((operand) => this.#value(operand, view)) : [])
    })
    if (path.fields.length === 0 && operands.length > 0)
      throw templateError(this.#source, path.at, "can't give argument to non-function")
    return value
  }

  #field(value: unknown, { name, at }: Field, args: readonly unknown[]): unknown {
    if (value instanceof Map) return (value as Map<string, unknown>).get(name)
    if (value === undefined || value === null) throw templateError(this.#source, at, `nil pointer evaluating .${name}`)
    const key = typeof value === "object" && !Array.isArray(value) ? fieldName(value, name) : undefined
    if (key === undefined) throw templateError(this.#source, at, `${UNKNOWN_FIELD} ${name}`, neighbours(value, name))
    const found = (value as Record<string, unknown>)[key]
    if (typeof found === "function") return found.apply(value, args) as unknown
    if (args.length > 0) throw templateError(this.#source, at, `${name} is not a method but has arguments`)
    return found
  }
}

/** The names of the fields of `{{.A}}\t{{.B}}`, as most tables are; undefined for any other template. */
export function tabbedFields({ nodes }: Template): string[] | undefined {
  const names: string[] = []
  for (const [index, node] of nodes.entries()) {
    const name = node.kind === "print" ? fieldOf(node.pipeline) : undefined
    if (index % 2 === 0 && name !== undefined) names.push(name)
    else if (index % 2 === 0 || node.kind !== "text" || node.text !== "\t") return undefined
  }
  return names.length * 2 === nodes.length + 1 ? names : undefined
}

/** Of `{{.Field}}`. */
function fieldOf({ stages }: Pipeline): string | undefined {
  const operand = stages.length === 1 && stages[0]?.length === 1 ? stages[0][0] : undefined
  if (operand?.kind !== "path" || operand.base !== "dot" || operand.fields.length !== 1) return undefined
  return operand.fields[0]?.name
}

/** The text of `{{.Field}}`, as each cell of a list is; undefined for anything else. */
function plainField(pipeline: Pipeline, dot: unknown): string | undefined {
  const name = fieldOf(pipeline)
  if (name === undefined || typeof dot !== "object" || dot === null || !Object.hasOwn(dot, name)) return undefined
  const value = (dot as Record<string, unknown>)[name]
  return typeof value === "string" ? value : undefined
}

/** Go walks maps in the order of their keys. */
function byKey(entries: [string, unknown][]): [string, unknown][] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function literal(value: unknown): Operand {
  return { kind: "literal", value }
}

/** The field itself, or its other spelling: docker knows `.ID` (the struct) and `.Id` (the JSON) alike. */
function fieldName(value: object, name: string): string | undefined {
  const other = name.endsWith("ID") ? `${name.slice(0, -2)}Id` : name.endsWith("Id") ? `${name.slice(0, -2)}ID` : name
  return [name, other].find((one) => Object.hasOwn(value, one))
}

/** What the object has in place of the field: the nearest name, and all of them. */
function neighbours(value: unknown, name: string): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
  const names = Object.keys(value).toSorted()
  const near = nearest(name, names)
  return [...(near === undefined ? [] : [`did you mean ${near}?`]), `valid fields: ${names.join(", ")}`].join(" ")
}
