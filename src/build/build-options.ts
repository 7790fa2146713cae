import type { BuildOptions, BuildRequest } from "./build.ts"

/** What a build takes for what its caller leaves out: the one place of these defaults. */
const DEFAULTS = {
  namedContexts: {},
  args: {},
  platforms: [],
  tags: [],
  labels: {},
  annotations: [],
  secrets: [],
  ssh: [],
  noCache: false,
  pull: "missing",
  network: "default",
  extraHosts: [],
  ulimits: [],
  resources: {},
  squash: false,
  rewriteTimes: false,
  allow: [],
  outputs: [{ type: "image" }],
  format: "oci",
  access: {},
} as const satisfies Omit<BuildOptions, "context">

/** `options` with the defaults of what is undefined. Pure. */
export function resolveBuild(options: BuildOptions): BuildRequest {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return { ...DEFAULTS, ...(given as unknown as BuildOptions) }
}
