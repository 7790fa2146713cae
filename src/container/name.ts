import { InvalidArgument } from "../base/errors.ts"

const VALID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/**
 * Checks a container name as podman does, who takes one letter where docker wants two; a leading slash, docker's own form, is dropped.
 * Throws InvalidArgument.
 */
export function parseContainerName(text: string): string {
  const name = text.startsWith("/") ? text.slice(1) : text
  if (!VALID.test(name))
    throw new InvalidArgument(`invalid container name "${text.slice(0, 200)}"`, {
      hint: "a name has letters, digits, `_`, `.` and `-`, and begins with a letter or digit",
    })
  if (name.length > 255) throw new InvalidArgument(`the container name has ${name.length} characters, at most 255 fit`)
  return name
}
