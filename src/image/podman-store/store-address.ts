import { InvalidArgument } from "../../base/errors.ts"

/** Which store of containers/storage; what is undefined is looked for where podman looks. */
export interface StoreAddress {
  driver?: string
  graphRoot?: string
}

/** An image of such a store. */
export interface StoredImageAddress {
  store: StoreAddress
  /** A name, an id, or the beginning of one; `NAME@ID` is the id's. */
  image: string
}

/**
 * What stands after `containers-storage:` (containers-transports(5)): `[DRIVER@GRAPHROOT+RUNROOT:OPTIONS]IMAGE`, where each part of the
 * brackets, and they themselves, may be left out. Run root and options say nothing to one who only reads. Throws InvalidArgument.
 */
export function parseStoreAddress(text: string): StoredImageAddress {
  const [, inner, image = ""] = /^(?:\[([^\]]*)\])?(.*)$/s.exec(text) ?? []
  if (image === "") throw new InvalidArgument(`invalid place of an image "containers-storage:${text}": which image?`)
  return { store: inner === undefined ? {} : parseStore(inner), image }
}

function parseStore(inner: string): StoreAddress {
  const at = inner.indexOf("@")
  const driver = at < 0 ? "" : inner.slice(0, at)
  const [graphRoot = ""] = inner.slice(at + 1).split(/[+:]/)
  if (driver !== "" && !/^[a-z0-9]+$/.test(driver)) throw new InvalidArgument(`invalid storage driver "${driver}"`)
  if (graphRoot !== "" && !graphRoot.startsWith("/"))
    throw new InvalidArgument(`invalid graph root "${graphRoot}" of containers-storage: it is no absolute path`)
  return { ...(driver !== "" && { driver }), ...(graphRoot !== "" && { graphRoot }) }
}
