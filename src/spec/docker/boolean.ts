import { InvalidArgument } from "../../base/errors.ts"

const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"])
const FALSE = new Set(["0", "f", "F", "false", "FALSE", "False"])

/** As Go's strconv.ParseBool. Throws InvalidArgument. */
export function readBoolean(text: string): boolean {
  if (!TRUE.has(text) && !FALSE.has(text)) throw new InvalidArgument("expected true or false")
  return TRUE.has(text)
}
