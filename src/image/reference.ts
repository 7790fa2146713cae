import { InvalidArgument } from "../base/errors.ts"
import { formatReference, isRegistryHost, parseReference, type Reference } from "../spec/reference.ts"

export { formatReference, parseReference, type Reference } from "../spec/reference.ts"

/** The form that people type: without `docker.io/` and `library/`. */
export function familiarReference(ref: Reference): string {
  const full = formatReference(ref)
  if (ref.registry !== "docker.io") return full
  return full.slice("docker.io/".length).replace(/^library\/(?=[^/]+$)/, "")
}

/** The same of a full name. Throws InvalidArgument. */
export function familiarName(name: string): string {
  return familiarReference(parseReference(name))
}

/** The full name with tag that an image is recorded under. Throws InvalidArgument for a digest: that is not the user's to give. */
export function taggedName(text: string): string {
  const { registry, repository, tag = "latest", digest } = parseReference(text)
  if (digest !== undefined)
    throw new InvalidArgument(
      `refusing to give an image the name "${text}": a name with a digest comes from a registry`,
    )
  return formatReference({ registry, repository, tag })
}

/** How a name without registry is remembered: as typed, with its tag. Undefined for one that says its registry. */
export function shortName(text: string, ref: Reference): string | undefined {
  const repository = (text.split("@")[0] ?? "").replace(/:[^:/]*$/, "")
  const [first = "", ...rest] = repository.split("/")
  return rest.length > 0 && isRegistryHost(first) ? undefined : `${repository}:${ref.tag ?? "latest"}`
}
