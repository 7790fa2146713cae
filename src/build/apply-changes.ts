import { InvalidArgument } from "../base/errors.ts"
import type { Digest } from "../spec/digest.ts"
import type { ImageRunConfig } from "../spec/oci-image.ts"
import { hostPlatform } from "../spec/platform.ts"
import { parseDockerfile } from "./dockerfile/parse-dockerfile.ts"
import { planBuild } from "./plan/plan.ts"

/** As docker's `commit` and `import` take them. */
const ALLOWED = new Set([
  "cmd",
  "entrypoint",
  "env",
  "expose",
  "healthcheck",
  "label",
  "onbuild",
  "shell",
  "stopsignal",
  "user",
  "volume",
  "workdir",
])

/**
 * The run parameters `config` after Dockerfile instructions (`--change`), by the rules of a build. Throws InvalidArgument
 * for an instruction that would need files.
 */
export async function applyChanges(config: ImageRunConfig, changes: readonly string[]): Promise<ImageRunConfig> {
  if (changes.length === 0) return config
  const dockerfile = parseDockerfile(["FROM base", ...changes].join("\n"), "--change")
  const [stage, ...others] = dockerfile.stages
  const refused = stage?.instructions.find(({ kind }) => !ALLOWED.has(kind))
  if (refused !== undefined || others.length > 0)
    throw new InvalidArgument(`${refused?.keyword.toUpperCase() ?? "FROM"} is not a valid change command`, {
      hint: `valid are ${[...ALLOWED].map((kind) => kind.toUpperCase()).join(", ")}`,
    })
  // triggers of the base are for its builds: kept as they are, not run
  const { OnBuild: triggers, ...base } = config
  const platform = hostPlatform()
  const { image } = await planBuild({
    dockerfile,
    request: {
      args: {},
      namedContexts: {},
      platforms: [],
      labels: {},
      noCache: false,
      network: "default",
      allow: [],
    },
    platform,
    buildPlatform: platform,
    resolveBase: async () => ({ id: NO_IMAGE, config: { ...platform, config: base, rootfs: NO_LAYERS } }),
  })
  const { OnBuild: added, ...changed } = image.config ?? {}
  const all = [...(triggers ?? []), ...(added ?? [])]
  return { ...changed, ...(all.length === 0 ? {} : { OnBuild: all }) }
}

const NO_IMAGE = `sha256:${"0".repeat(64)}` as Digest
const NO_LAYERS = { type: "layers" as const, diff_ids: [] }
