import { InvalidArgument, Unsupported } from "../base/errors.ts"
import { splitCsv } from "../spec/docker/csv.ts"
import { formatPlatform, hostPlatform } from "../spec/platform.ts"
import { evaluate, within, type Scope } from "./hcl/evaluate.ts"
import { callStandard } from "./hcl/functions.ts"
import type { Block, Body, Expression } from "./hcl/syntax.ts"
import { booleanOf, Budget, isList, isObject, numberOf, textOf, type HclValue } from "./hcl/value.ts"

/** Calls of a file's own functions inside each other. */
const MOST_CALLS = 64

/** A variable of the files, as `--list` shows it. */
export interface BakeVariable {
  name: string
  description?: string
  type?: string
  value: HclValue
}

/** The files in HCL and JSON as one: what their names mean. Values are found when they are asked for. */
export class Module implements Scope {
  readonly budget = new Budget()
  readonly #variables = new Map<string, Block>()
  readonly #constants = new Map<string, Expression>()
  readonly #functions = new Map<string, Block>()
  readonly #blocks: readonly Block[]
  readonly #values = new Map<string, HclValue>()
  /** Being found: what asks for itself is seen. */
  readonly #open = new Set<string>()
  readonly #environment: Readonly<Record<string, string | undefined>>
  #calls = 0

  constructor(bodies: readonly Body[], environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment
    this.#blocks = bodies.flatMap(({ blocks }) => blocks)
    for (const { attributes } of bodies) for (const [name, { value }] of attributes) this.#constants.set(name, value)
    for (const block of this.#blocks) {
      const [label = ""] = block.labels
      if (!["variable", "function", "group", "target"].includes(block.type) || block.labels.length !== 1)
        throw new InvalidArgument(`unexpected block "${[block.type, ...block.labels].join(" ")}"`, {
          data: { at: block.at },
          hint: "valid: group, target, variable, function, each with a name",
        })
      if (block.type === "variable") this.#variables.set(label, block)
      if (block.type === "function") this.#functions.set(label, block)
    }
  }

  /** Of targets or groups, in the order of the files. */
  blocks(type: "target" | "group"): Block[] {
    return this.#blocks.filter((block) => block.type === type)
  }

  /** By name. Throws InvalidArgument for a value that its `validation` refuses. */
  variables(): BakeVariable[] {
    return [...this.#variables]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, block]) => this.#variable(name, block))
  }

  #variable(name: string, { body }: Block): BakeVariable {
    const description = this.#text(body, "description")
    const type = typeText(body.attributes.get("type")?.value)
    return {
      name,
      ...(description === undefined ? {} : { description }),
      ...(type === undefined ? {} : { type }),
      value: this.variable(name) ?? null,
    }
  }

  /** Throws InvalidArgument for the first variable whose value is refused. */
  validate(): void {
    for (const [name, { body }] of this.#variables)
      for (const { body: rule, type } of body.blocks) {
        const condition = rule.attributes.get("condition")?.value
        if (type !== "validation" || !condition || booleanOf(evaluate(condition, this))) continue
        throw new InvalidArgument(this.#text(rule, "error_message") ?? `the value of variable "${name}" is not valid`)
      }
  }

  variable(name: string): HclValue | undefined {
    if (name === "BAKE_CMD_CONTEXT") return "cwd://"
    if (name === "BAKE_LOCAL_PLATFORM") return formatPlatform(hostPlatform())
    return this.#once(`variable ${name}`, () => {
      const constant = this.#constants.get(name)
      if (constant) return evaluate(constant, this)
      const block = this.#variables.get(name)
      return block && this.#given(name, block)
    })
  }

  attribute(type: string, label: string, key: string): HclValue | undefined {
    const found = this.#blocks.findLast(
      (block) => block.type === type && block.labels[0] === label && block.body.attributes.has(key),
    )
    const expression = found?.body.attributes.get(key)?.value
    return expression && this.#once(`${type} ${label}.${key}`, () => evaluate(expression, this))
  }

  call(name: string, args: readonly HclValue[]): HclValue {
    const own = this.#functions.get(name)
    if (!own) return callStandard(name, args)
    const params = namesOf(own.body.attributes.get("params")?.value)
    const rest = own.body.attributes.get("variadic_params")?.value ?? own.body.attributes.get("variadic_param")?.value
    const result = own.body.attributes.get("result")?.value
    if (!result) throw new InvalidArgument(`function "${name}" has no result`, { data: { at: own.at } })
    if (args.length < params.length || (args.length > params.length && !rest))
      throw new InvalidArgument(`function "${name}" takes ${params.length} arguments, not ${args.length}`)
    if (++this.#calls > MOST_CALLS) throw new InvalidArgument(`calls of function "${name}" are nested too deeply`)
    const names = Object.fromEntries(params.map((param, at) => [param, args[at] ?? null]))
    const more = rest?.kind === "variable" ? { [rest.name]: args.slice(params.length) } : {}
    const value = evaluate(result, within(this, { ...names, ...more }))
    this.#calls--
    return value
  }

  #once(key: string, find: () => HclValue | undefined): HclValue | undefined {
    const known = this.#values.get(key)
    if (known !== undefined) return known
    if (this.#open.has(key)) throw new InvalidArgument(`${key} depends on itself`)
    this.#open.add(key)
    try {
      const value = find()
      if (value !== undefined) this.#values.set(key, value)
      return value
    } finally {
      this.#open.delete(key)
    }
  }

  /** The environment's, in the type of the default. */
  #given(name: string, { body }: Block): HclValue {
    const expression = body.attributes.get("default")?.value
    const type = typeText(body.attributes.get("type")?.value)
    const text = this.#environment[name]
    const initial = expression ? evaluate(expression, this) : type === undefined ? "" : null
    if (text === undefined) return initial
    try {
      return converted(text, type, initial)
    } catch (cause) {
      throw new InvalidArgument(`the environment's ${name} cannot be the value of the variable: ${String(cause)}`, {
        cause,
      })
    }
  }

  #text({ attributes }: Body, key: string): string | undefined {
    const value = attributes.get(key)?.value
    return value && textOf(evaluate(value, this))
  }
}

function converted(text: string, type: string | undefined, initial: HclValue): HclValue {
  if (type === "string" || (type === undefined && (typeof initial === "string" || initial === null))) return text
  if (type === "bool" || (type === undefined && typeof initial === "boolean")) return booleanOf(text)
  if (type === "number" || (type === undefined && typeof initial === "number")) return numberOf(text)
  const element = /^(?:list|set)\((string|number|bool)\)$/.exec(type ?? "")?.[1]
  if (element === undefined) throw new Unsupported(`unsupported type ${type ?? "of the default"}`)
  return splitCsv(text, "list").map((one) => converted(one, element, null))
}

/** Of `list(string)`, which is read and not evaluated. */
function typeText(expression: Expression | undefined): string | undefined {
  if (expression?.kind === "variable") return expression.name
  if (expression?.kind === "call")
    return `${expression.name}(${expression.args.map((one) => typeText(one) ?? "any").join(", ")})`
  return expression?.kind === "literal" && expression.value !== null ? String(expression.value) : undefined
}

/** In HCL names, in JSON texts. */
function namesOf(expression: Expression | undefined): string[] {
  if (expression?.kind !== "list") return []
  return expression.items.flatMap((one) =>
    one.kind === "variable" ? [one.name] : one.kind === "literal" ? [String(one.value)] : [],
  )
}

/** Each choice of one value a key: `matrix`. Throws InvalidArgument for more than a bake file has. */
export function combinations(matrix: HclValue): Record<string, HclValue>[] {
  if (!isObject(matrix)) throw new InvalidArgument("matrix is an object of lists")
  let rows: Record<string, HclValue>[] = [{}]
  for (const [key, values] of Object.entries(matrix)) {
    if (!isList(values)) throw new InvalidArgument(`matrix "${key}" is not a list`)
    if (rows.length * values.length > 10_000) throw new InvalidArgument("matrix makes more than 10000 targets")
    rows = rows.flatMap((row) => values.map((value) => Object.assign({}, row, { [key]: value })))
  }
  return rows
}
