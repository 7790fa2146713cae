import { InvalidArgument } from "../../base/errors.ts"

/** One end of `image scp`. */
export type Endpoint = { image: string } & (
  | { kind: "here" }
  /** Another user of this machine. */
  | { kind: "user"; user: string }
  | { kind: "host"; destination: string; port: string | undefined }
)

const PLACE = /^(?:ssh:\/\/)?(?:([A-Za-z_][\w.-]*)@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][\w.-]*)(?::(\d{1,5}))?$/
const IMAGE = /^[A-Za-z0-9][\w.:/@-]*$/

/**
 * `IMAGE`, `HOST::IMAGE`, `USER@HOST:PORT::IMAGE`, `USER@localhost::IMAGE`. Nothing of it can be a flag or a word of the shell
 * where it ends up. Throws InvalidArgument.
 */
export function parseEndpoint(text: string): Endpoint {
  const at = text.lastIndexOf("::")
  const image = at < 0 ? text : text.slice(at + 2)
  if (image !== "" && !IMAGE.test(image)) throw new InvalidArgument(`invalid image name "${image}"`)
  if (at < 0) return { kind: "here", image }
  const place = text.slice(0, at)
  const [, user, host, port] = PLACE.exec(place) ?? []
  if (host === undefined)
    throw new InvalidArgument(`invalid host "${place}"`, { hint: "expected HOST, USER@HOST:PORT, or USER@localhost" })
  if (host === "localhost" && user !== undefined && port === undefined) return { kind: "user", user, image }
  const name = host.replace(/^\[|\]$/g, "")
  return { kind: "host", destination: user === undefined ? name : `${user}@${name}`, port, image }
}
