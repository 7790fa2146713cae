import { InvalidArgument, NotFound, type Hint } from "../../base/errors.ts"
import type { FieldWarning } from "../read/check-object.ts"

const SHOWN = 200

/** A field of a Pod that cannot be. `data.path` says which. */
export function fieldFault(path: string, text: string, hint?: Hint): InvalidArgument {
  return new InvalidArgument(`${path}: ${text.slice(0, SHOWN * 2)}`, { hint, data: { path } })
}

/** What a Pod refers to is not there. */
export function missingReference(path: string, text: string, hint?: Hint): NotFound {
  return new NotFound(`${path}: ${text.slice(0, SHOWN)}`, { hint, data: { path } })
}

/** Collects what is not honoured. */
export class Warnings {
  readonly list: FieldWarning[] = []

  add(path: string, text: string): void {
    this.list.push({ path, text })
  }
}
