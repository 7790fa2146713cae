import { openContentStore } from "../content/open.ts"
import type { Registries, RegistryStore } from "../registry/registry.ts"
import { DirectoryStore } from "../registry/server/store/directory-store.ts"
import { once } from "./once.ts"

/** What a registry is to be. */
export interface RegistryStoreOptions {
  /** The registry whose images it gives, fetched once and kept. */
  proxyOf?: string
  /** Of that one. */
  tlsVerify?: boolean
}

/** The store of a registry in a directory of its own. */
export async function openRegistryStore(
  directory: string,
  registries: () => Promise<Registries>,
  { proxyOf, tlsVerify }: RegistryStoreOptions = {},
): Promise<RegistryStore & AsyncDisposable> {
  const content = openContentStore({ root: directory })
  const local = new DirectoryStore(directory, content)
  if (proxyOf === undefined) return local
  const { ProxyStore } = await import("../registry/server/store/proxy-store.ts")
  const opened = await registries()
  const source = once(() => opened.open(tlsVerify === undefined ? {} : { tlsVerify }))
  return new ProxyStore({ local, content, upstream: proxyOf, source })
}
