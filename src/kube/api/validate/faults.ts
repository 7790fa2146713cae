import type { Cause } from "../status.ts"

/** Collects what is wrong with an object, in the words of Kubernetes' validation (apimachinery, util/validation/field). */
export class Faults {
  readonly causes: Cause[] = []

  required(field: string, detail = ""): void {
    this.#add("FieldValueRequired", field, detail === "" ? "Required value" : `Required value: ${detail}`)
  }

  invalid(field: string, value: unknown, detail: string): void {
    this.#add("FieldValueInvalid", field, `Invalid value: ${shown(value)}: ${detail}`)
  }

  duplicate(field: string, value: unknown): void {
    this.#add("FieldValueDuplicate", field, `Duplicate value: ${shown(value)}`)
  }

  unsupported(field: string, value: unknown, supported: readonly string[]): void {
    const all = supported.map((one) => JSON.stringify(one)).join(", ")
    this.#add("FieldValueNotSupported", field, `Unsupported value: ${shown(value)}: supported values: ${all}`)
  }

  notFound(field: string, value: unknown): void {
    this.#add("FieldValueNotFound", field, `Not found: ${shown(value)}`)
  }

  forbidden(field: string, detail: string): void {
    this.#add("FieldValueForbidden", field, `Forbidden: ${detail}`)
  }

  tooLong(field: string, detail: string): void {
    this.#add("FieldValueTooLong", field, `Too long: ${detail}`)
  }

  #add(reason: string, field: string, message: string): void {
    if (!this.causes.some((one) => one.field === field && one.message === message))
      this.causes.push({ reason, message, field })
  }
}

const MAX_SHOWN = 10_000

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "null").slice(0, MAX_SHOWN)
}
