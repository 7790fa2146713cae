import type { ContentStore } from "../content/content.ts"
import { openContentStore } from "../content/open.ts"
import type { Registries, RegistryStore } from "../registry/registry.ts"
import type { BucketStore } from "../registry/server/store/bucket-store.ts"
import { DirectoryStore } from "../registry/server/store/directory-store.ts"
import type { BucketAddress } from "../sys/net/bucket.ts"
import { once } from "./once.ts"

/** What a registry is to be. */
export interface RegistryStoreOptions {
  /** The registry whose images it gives, fetched once and kept. */
  proxyOf?: string
  /** Of that one. */
  tlsVerify?: boolean
  /** Has what is pushed, and the directory only what is under way. */
  bucket?: BucketAddress
}

/** The store of a registry in a directory of its own. */
export async function openRegistryStore(
  directory: string,
  registries: () => Promise<Registries>,
  { proxyOf, tlsVerify, bucket: address }: RegistryStoreOptions = {},
): Promise<RegistryStore & AsyncDisposable> {
  const content = openContentStore({ root: directory })
  const local = new DirectoryStore(directory, content)
  if (address !== undefined) return openBucketStore(address, local, content)
  if (proxyOf === undefined) return local
  const { ProxyStore } = await import("../registry/server/store/proxy-store.ts")
  const opened = await registries()
  const source = once(() => opened.open(tlsVerify === undefined ? {} : { tlsVerify }))
  return new ProxyStore({ local, content, upstream: proxyOf, source })
}

/** Throws Unavailable where the bucket cannot be read now. */
async function openBucketStore(
  address: BucketAddress,
  spool: DirectoryStore,
  content: ContentStore,
): Promise<BucketStore> {
  const [{ Bucket }, store] = await Promise.all([
    import("../sys/net/bucket.ts"),
    import("../registry/server/store/bucket-store.ts"),
  ])
  const bucket = new Bucket(address)
  await bucket.list("blobs/").next()
  return new store.BucketStore({ bucket, spool, content })
}
