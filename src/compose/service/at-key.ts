import { InvalidArgument, isSkiffError, Unsupported, type Hint } from "../../base/errors.ts"

/** Runs `read`; what it throws names the key of the file that is at fault, and carries it as `data.key`. */
export function atKey<T>(key: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!isSkiffError(error)) throw error
    throw error.restated(`${key}: ${error.message}`, { data: { key } })
  }
}

/** For a key whose value cannot be. */
export function wrongValue(key: string, why: string, hint?: Hint): InvalidArgument {
  return new InvalidArgument(`${key}: ${why}`, { hint, data: { key } })
}

/** For a key that this engine has nothing for. */
export function cannot(key: string, why: string, hint?: Hint): Unsupported {
  return new Unsupported(`${key}: ${why}`, { hint, data: { key } })
}
