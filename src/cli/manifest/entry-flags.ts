import { defined } from "../../base/defined.ts"
import type { EntryChanges } from "../../manifest/manifest.ts"
import { flag, type FlagValues } from "../flag.ts"
import { parseKeyValue } from "../../spec/docker/environment.ts"

/** What is said of an image in a list. */
export const ENTRY_FLAGS = {
  annotation: flag.list(parseKeyValue, "Set an annotation of the image's entry", "KEY=VALUE"),
  arch: flag.string("Override the architecture of the image", "string"),
  features: flag.strings("Override the features of the image", "list"),
  os: flag.string("Override the operating system of the image", "string"),
  osVersion: flag.string("Override the version of the operating system", "string"),
  variant: flag.string("Override the variant of the architecture", "string"),
}

/** The same as it is recorded. */
export function entryChanges(flags: FlagValues<typeof ENTRY_FLAGS>): EntryChanges {
  const { arch: architecture, os, osVersion, variant, features, annotation } = flags
  return defined({
    architecture,
    os,
    osVersion,
    variant,
    ...(features.length > 0 && { features: features.flatMap((text) => text.split(",")) }),
    ...(annotation.length > 0 && { annotations: Object.fromEntries(annotation) }),
  })
}
