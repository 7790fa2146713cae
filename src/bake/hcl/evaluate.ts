import { InvalidArgument, SkiffError } from "../../base/errors.ts"
import type { Expression, For } from "./syntax.ts"
import {
  booleanOf,
  isEqual,
  isList,
  isObject,
  kindOf,
  numberOf,
  objectOf,
  sortedEntries,
  textOf,
  type Budget,
  type HclValue,
} from "./value.ts"

/** What names mean where an expression stands. */
export interface Scope {
  /** Undefined: there is none of that name. */
  variable(name: string): HclValue | undefined
  call(name: string, args: readonly HclValue[]): HclValue
  budget: Budget
  /** `target.NAME.KEY`: an attribute of a block. Undefined: there is none. */
  attribute(type: string, label: string, key: string): HclValue | undefined
}

/** The value of an expression. Throws InvalidArgument with the place in `data.at`. */
export function evaluate(expression: Expression, scope: Scope): HclValue {
  scope.budget.spend(1)
  try {
    return valueOf(expression, scope)
  } catch (error) {
    // the innermost place is the one that tells
    if (error instanceof SkiffError && error.data.at === undefined)
      throw error.restated(error.message, { data: { at: expression.at } })
    throw error
  }
}

function valueOf(expression: Expression, scope: Scope): HclValue {
  switch (expression.kind) {
    case "literal":
      return expression.value
    case "template":
      return joined(expression.parts, scope)
    case "variable": {
      const value = scope.variable(expression.name)
      if (value === undefined) throw new InvalidArgument(`there is no variable named "${expression.name}"`)
      return value
    }
    case "list":
      return expression.items.map((item) => evaluate(item, scope))
    case "object":
      return objectOf(expression.entries.map(([key, value]) => [textOf(evaluate(key, scope)), evaluate(value, scope)]))
    case "call":
      return called(expression, scope)
    case "index":
      return referenced(expression, scope) ?? member(evaluate(expression.of, scope), evaluate(expression.key, scope))
    case "splat": {
      const value = evaluate(expression.of, scope)
      const items = isList(value) ? value : value === null ? [] : [value]
      const keys = expression.keys.map((key) => evaluate(key, scope))
      scope.budget.spend(items.length * (keys.length + 1))
      return items.map((item) => keys.reduce<HclValue>((of, key) => member(of, key), item))
    }
    case "unary": {
      const value = evaluate(expression.of, scope)
      return expression.operator === "!" ? !booleanOf(value) : -numberOf(value)
    }
    case "binary":
      return operated(expression.operator, evaluate(expression.left, scope), () => evaluate(expression.right, scope))
    case "conditional":
      return evaluate(booleanOf(evaluate(expression.test, scope)) ? expression.yes : expression.no, scope)
    case "for":
      return repeated(expression, scope)
  }
}

/** Of `target.NAME.KEY`; undefined for what is none. */
function referenced({ of, key }: Extract<Expression, { kind: "index" }>, scope: Scope): HclValue | undefined {
  if (of.kind !== "index" || of.of.kind !== "variable" || of.key.kind !== "literal" || key.kind !== "literal")
    return undefined
  return scope.attribute(of.of.name, String(of.key.value), String(key.value))
}

function joined(parts: readonly Expression[], scope: Scope): string {
  const text = parts.map((part) => textOf(evaluate(part, scope))).join("")
  scope.budget.spend(0, text.length)
  return text
}

function called({ name, args, expands }: Extract<Expression, { kind: "call" }>, scope: Scope): HclValue {
  // `try` and `can` are about what fails
  if (name === "try" || name === "can") return tried(name, args, scope)
  const values = args.map((arg) => evaluate(arg, scope))
  const last = expands ? values.pop() : undefined
  if (expands && !isList(last)) throw new InvalidArgument("only a list can be expanded to arguments")
  const all = isList(last) ? [...values, ...last] : values
  scope.budget.spend(all.length)
  const value = scope.call(name, all)
  if (typeof value === "string") scope.budget.spend(0, value.length)
  else if (isList(value)) scope.budget.spend(value.length)
  return value
}

function tried(name: "try" | "can", args: readonly Expression[], scope: Scope): HclValue {
  let failure: unknown = new InvalidArgument(`${name} needs an argument`)
  for (const arg of args) {
    try {
      const value = evaluate(arg, scope)
      return name === "can" ? true : value
    } catch (error) {
      failure = error
    }
  }
  scope.budget.spend(1)
  if (name === "can" && args.length > 0) return false
  throw failure
}

/** Throws InvalidArgument where there is none. */
export function member(of: HclValue, key: HclValue): HclValue {
  if (isList(of)) {
    const value = of[numberOf(key)]
    if (value !== undefined) return value
    throw new InvalidArgument(`a list of ${of.length} has no element ${numberOf(key)}`)
  }
  if (!isObject(of)) throw new InvalidArgument(`${kindOf(of)} has no elements`)
  const name = textOf(key)
  const value = Object.hasOwn(of, name) ? of[name] : undefined
  if (value === undefined) throw new InvalidArgument(`there is no element "${name}"`)
  return value
}

function operated(operator: string, left: HclValue, right: () => HclValue): HclValue {
  switch (operator) {
    case "&&":
      return booleanOf(left) && booleanOf(right())
    case "||":
      return booleanOf(left) || booleanOf(right())
    case "==":
      return isEqual(left, right())
    case "!=":
      return !isEqual(left, right())
  }
  const [a, b] = [numberOf(left), numberOf(right())]
  if (b === 0 && (operator === "/" || operator === "%")) throw new InvalidArgument("division by zero")
  const operations: Readonly<Record<string, () => HclValue>> = {
    "+": () => a + b,
    "-": () => a - b,
    "*": () => a * b,
    "/": () => a / b,
    "%": () => a % b,
    "<": () => a < b,
    "<=": () => a <= b,
    ">": () => a > b,
    ">=": () => a >= b,
  }
  return operations[operator]?.() ?? null
}

function repeated(expression: For, scope: Scope): HclValue {
  const of = evaluate(expression.of, scope)
  if (!isList(of) && !isObject(of)) throw new InvalidArgument(`for goes through lists and objects, not ${kindOf(of)}`)
  const entries: (readonly [HclValue, HclValue])[] = isList(of)
    ? of.map((value, index) => [index, value] as const)
    : sortedEntries(of)
  const results: HclValue[] = []
  const keyed: [string, HclValue][] = []
  for (const [key, value] of entries) {
    const inner = within(scope, {
      ...(expression.key === undefined ? {} : { [expression.key]: key }),
      [expression.value]: value,
    })
    if (expression.test && !booleanOf(evaluate(expression.test, inner))) continue
    const result = evaluate(expression.result, inner)
    if (expression.resultKey) keyed.push([textOf(evaluate(expression.resultKey, inner)), result])
    else results.push(result)
  }
  if (!expression.resultKey) return expression.joins ? results.map(textOf).join("") : results
  return expression.groups ? grouped(keyed) : objectOf(keyed)
}

function grouped(keyed: readonly [string, HclValue][]): HclValue {
  const groups = new Map<string, HclValue[]>()
  for (const [key, value] of keyed) groups.set(key, [...(groups.get(key) ?? []), value])
  return objectOf(groups)
}

/** The same scope with more names. */
export function within(scope: Scope, names: Readonly<Record<string, HclValue>>): Scope {
  return {
    budget: scope.budget,
    attribute: (type, label, key) => scope.attribute(type, label, key),
    call: (name, args) => scope.call(name, args),
    variable: (name) => (Object.hasOwn(names, name) ? names[name] : scope.variable(name)),
  }
}
