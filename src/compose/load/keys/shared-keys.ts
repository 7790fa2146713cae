import {
  either,
  integer,
  listOf,
  mapOf,
  pairs,
  struct,
  text,
  textList,
  words,
  flag,
  distinctTexts,
  type Key,
} from "../keys.ts"

/** A program run beside the container's own. */
export const hook = struct(
  {
    command: words(),
    user: text(),
    privileged: flag(),
    working_dir: text(),
    environment: pairs("mapping"),
  },
  { required: ["command"] },
)

/** A service's or build's use of a secret or config. */
export const fileReferences = (same: "secret" | "config" | undefined): Key =>
  listOf(
    either(
      [text()],
      struct({
        source: text(),
        target: text(),
        uid: text(),
        gid: text(),
        mode: { types: ["number", "string"], type: "mode", keepsZero: true },
      }),
      { long: "mount" },
    ),
    same === undefined ? {} : { same },
  )

const limit: Key = struct({ soft: integer(), hard: integer() }, { required: ["soft", "hard"] })

export const ulimits = mapOf(
  either([{ types: ["integer", "string"] }], limit, {
    type: "ulimit",
    long: "ulimit",
    merge: "ulimit",
    cast: "integer",
  }),
  {
    name: /^[a-z]+$/,
  },
)

/** `host:address`. */
export const extraHosts: Key = {
  forms: [
    {
      types: ["object"],
      name: /[^\n]/,
      values: { forms: [{ types: ["string"] }, textList()], type: "any" },
      isClosed: true,
    },
    distinctTexts(),
  ],
  type: "hosts",
  merge: "hosts",
}

const request = {
  capabilities: distinctTexts(),
  driver: text(),
  count: { types: ["string", "integer"], type: "count" } as Key,
  device_ids: distinctTexts(),
  options: pairs("pairs"),
}

/** Of GPUs and the like, in `deploy`. */
export const deviceRequests = listOf(struct(request, { required: ["capabilities"], dropsExtensions: true }))

/** The same of a service: what is not known in them the schema lets pass. */
export const gpus = either(
  [{ types: ["string"], enum: ["all"] }],
  listOf(struct(request, { isClosed: false, dropsExtensions: true })),
  {
    long: "gpus",
  },
)
