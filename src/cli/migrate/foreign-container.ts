import * as v from "valibot"
import { absent, checkDocument } from "../../spec/parse-document.ts"

const texts = absent(v.array(v.string()))
const map = absent(v.record(v.string(), v.string()))
const list = (schema: v.GenericSchema<unknown, Record<string, unknown>>) => absent(v.array(schema))
const any = v.record(v.string(), v.unknown())

const mount = v.object({
  Type: v.string(),
  Name: absent(v.string()),
  Source: absent(v.string()),
  Destination: v.string(),
  RW: absent(v.boolean()),
  Propagation: absent(v.string()),
})

const network = v.object({
  IPAMConfig: absent(v.object({ IPv4Address: absent(v.string()), IPv6Address: absent(v.string()) })),
  Aliases: texts,
  Links: texts,
})

/** What `inspect` of docker and podman says of a container, as far as it is read. */
const schema = v.object({
  Id: v.pipe(v.string(), v.regex(/^[0-9a-f]{12,64}$/)),
  Name: v.string(),
  Image: v.string(),
  /** Podman's. */
  ImageName: absent(v.string()),
  Path: absent(v.string()),
  Args: texts,
  Pod: absent(v.string()),
  IsInfra: absent(v.boolean()),
  Rootfs: absent(v.string()),
  Mounts: absent(v.array(mount)),
  Config: v.object({
    Hostname: absent(v.string()),
    Domainname: absent(v.string()),
    User: absent(v.string()),
    Tty: absent(v.boolean()),
    OpenStdin: absent(v.boolean()),
    Env: texts,
    Cmd: texts,
    Image: absent(v.string()),
    WorkingDir: absent(v.string()),
    /** Podman before 5 joins the words by spaces. */
    Entrypoint: absent(v.union([v.string(), v.array(v.string())])),
    Labels: map,
    StopSignal: absent(v.union([v.string(), v.number()])),
    StopTimeout: absent(v.number()),
    Healthcheck: absent(any),
    ExposedPorts: absent(any),
    /** Podman's: the command line that made it. */
    CreateCommand: texts,
  }),
  // not v.intersect: it fails where one side makes undefined of null and the other keeps it
  HostConfig: v.looseObject({
    NetworkMode: absent(v.string()),
    AutoRemove: absent(v.boolean()),
    RestartPolicy: absent(v.object({ Name: absent(v.string()), MaximumRetryCount: absent(v.number()) })),
    Devices: list(any),
    Ulimits: list(any),
    Mounts: list(any),
  }),
  NetworkSettings: absent(v.object({ Networks: absent(v.record(v.string(), network)) })),
})

/** A container of docker or podman, in the words of `inspect`. */
export type ForeignContainer = v.InferOutput<typeof schema>

/** Throws DataLoss with the field. */
export function parseForeignContainer(document: unknown): ForeignContainer {
  const container = checkDocument(schema, document, "container's document")
  return { ...container, Name: container.Name.replace(/^\//, "") }
}

/** Whose network it uses: an id or a name; undefined: its own. */
export function networkOwnerOf({ HostConfig }: ForeignContainer): string | undefined {
  return /^container:(.+)$/.exec(HostConfig.NetworkMode ?? "")?.[1]
}
