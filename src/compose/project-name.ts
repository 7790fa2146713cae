import { InvalidArgument } from "../base/errors.ts"

/** Throws InvalidArgument, in docker's words, for a name that was given and is not as names are. */
export function checkProjectName(name: string): void {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(name)) return
  throw new InvalidArgument(
    `invalid project name "${name}": must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number`,
  )
}
