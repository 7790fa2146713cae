import type { StoredMetadata, StoredObject } from "../objects/objects.ts"

/** An object of the store with the fields that Kubernetes gives its kind. */
export type Kept<T> = Omit<T, "metadata" | "apiVersion" | "kind"> & {
  apiVersion: string
  kind: string
  metadata: StoredMetadata
}

/** What was checked when it was kept has the shape of its kind. */
export function kept<T>(object: StoredObject): Kept<T> {
  return object as unknown as Kept<T>
}
