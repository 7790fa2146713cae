import * as v from "valibot"
import { isDigest, type DiffId } from "./digest.ts"
import type { ImageConfig } from "./oci-image.ts"
import { MAX_PORTS } from "./docker/port-mapping.ts"
import { absent, atMost, checkDocument, parseDocument } from "./parse-document.ts"

/** A config that is larger is refused before it is parsed. */
export const MAX_CONFIG_BYTES = 8 * 1024 ** 2
const MAX_LAYERS = 500
/** Words, variables, labels, steps of the history: real images have up to some hundreds. */
const MAX_ENTRIES = 10_000
/** Each becomes a volume of every container that is made. */
export const MAX_IMAGE_VOLUMES = 256

const strings = absent(v.pipe(v.array(v.string()), atMost(MAX_ENTRIES, "entries")))
// images of the first Docker versions have one string here
const words = absent(
  v.pipe(
    v.union([v.array(v.string()), v.string()]),
    v.transform((value) => (typeof value === "string" ? [value] : value)),
    atMost(MAX_ENTRIES, "words"),
  ),
)
const names = (count: number, what: string) =>
  absent(v.pipe(v.record(v.string(), v.pipe(v.nullable(v.object({})), v.transform(emptyObject))), atMost(count, what)))
const seconds = absent(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))

const runConfig = v.object({
  User: absent(v.string()),
  ExposedPorts: names(MAX_PORTS, "ports"),
  Env: strings,
  Entrypoint: words,
  Cmd: words,
  Volumes: names(MAX_IMAGE_VOLUMES, "volumes"),
  WorkingDir: absent(v.string()),
  Labels: absent(v.pipe(v.record(v.string(), v.string()), atMost(MAX_ENTRIES, "labels"))),
  StopSignal: absent(v.string()),
  StopTimeout: seconds,
  ArgsEscaped: absent(v.boolean()),
  Healthcheck: absent(
    v.object({
      Test: strings,
      Interval: absent(v.number()),
      Timeout: absent(v.number()),
      StartPeriod: absent(v.number()),
      StartInterval: absent(v.number()),
      Retries: absent(v.number()),
    }),
  ),
  OnBuild: strings,
  Shell: strings,
})

const configSchema = v.object({
  created: absent(v.string()),
  author: absent(v.string()),
  architecture: v.string(),
  os: v.string(),
  variant: absent(v.string()),
  "os.version": absent(v.string()),
  "os.features": strings,
  config: absent(runConfig),
  rootfs: v.object({
    type: v.literal("layers"),
    diff_ids: v.pipe(
      v.nullable(v.array(v.custom<DiffId>(isDigest, "expected sha256:<64 hex digits>"))),
      v.transform((value) => value ?? []),
      v.maxLength(MAX_LAYERS, `more than ${MAX_LAYERS} layers`),
    ),
  }),
  history: absent(
    v.pipe(
      v.array(
        v.object({
          created: absent(v.string()),
          created_by: absent(v.string()),
          author: absent(v.string()),
          comment: absent(v.string()),
          empty_layer: absent(v.boolean()),
        }),
      ),
      atMost(MAX_ENTRIES, "steps"),
    ),
  ),
})

/**
 * Parses an image config (image-spec config.md). What it does not know it leaves out: labels and annotations stay data,
 * nothing in an image becomes a setting of the engine. Throws DataLoss; `what` names it in the message.
 */
export function parseImageConfig(bytes: Uint8Array, what = "image config"): ImageConfig {
  return checkDocument(configSchema, parseDocument(bytes, MAX_CONFIG_BYTES, what), what)
}

function emptyObject(): object {
  return {}
}
