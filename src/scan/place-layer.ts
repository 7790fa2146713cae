import type { Place, SubjectLayer } from "./scan.ts"

/** A layer as reports tell of it: without what opens it. */
export function placeLayer({ diffId, digest, createdBy, dockerfile }: SubjectLayer): NonNullable<Place["layer"]> {
  return {
    diffId,
    ...(digest === undefined ? {} : { digest }),
    ...(createdBy === undefined ? {} : { createdBy }),
    ...(dockerfile === undefined ? {} : { dockerfile }),
  }
}
