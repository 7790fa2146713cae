import { isSkiffError } from "../base/errors.ts"

/** The exit code of `exists`: 0 when `find` gives something, 1 when there is nothing. Whatever else goes wrong is thrown: 125. */
export async function exists(find: () => unknown): Promise<number> {
  try {
    return (await find()) === undefined ? 1 : 0
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return 1
    throw error
  }
}
