import type { LabelSelector } from "kubernetes-types/meta/v1"

type Labels = Readonly<Record<string, string>>

/** Whether labels fit a selector; an empty one fits all, an absent one nothing (meta/v1, LabelSelectorAsSelector). Pure. */
export function selects(selector: LabelSelector | undefined, labels: Labels = {}): boolean {
  if (selector === undefined) return false
  return (
    selectsAll(selector.matchLabels, labels) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value)
        case "NotIn":
          return value === undefined || !values.includes(value)
        case "Exists":
          return value !== undefined
        case "DoesNotExist":
          return value === undefined
        default:
          return false
      }
    })
  )
}

/** The older kind of selector: labels that must all be there. */
export function selectsAll(wanted: Labels = {}, labels: Labels = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)
}

/** As a scale's status has it: `app=web,tier in (a,b)`. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === "Exists") return key
    if (operator === "DoesNotExist") return `!${key}`
    return `${key} ${operator.toLowerCase()} (${values.toSorted().join(",")})`
  })
  return [...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`), ...expressions].join(",")
}
