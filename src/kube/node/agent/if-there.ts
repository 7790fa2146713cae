import { isSkiffError } from "../../../base/errors.ts"

/** What `find` gives; undefined where it throws NotFound. */
export function ifThere<T>(find: () => T): T | undefined {
  try {
    return find()
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return undefined
    throw error
  }
}
