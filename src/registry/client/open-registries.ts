import type { Registries } from "../registry.ts"
import { DEFAULT_LIMITS, type HttpLimits } from "./http.ts"
import { searchNames } from "./locations.ts"
import { checkPolicy } from "./policy.ts"
import { loadRegistriesConf, type RegistriesConf } from "./registries-conf.ts"
import { HttpRegistrySource } from "./registry-source.ts"

/** The registries, by what the host's files say of them; the files are read once, when first needed. */
export function openRegistries({ limits = {} }: { limits?: Partial<HttpLimits> } = {}): Registries {
  let loaded: Promise<RegistriesConf> | undefined
  const conf = () => (loaded ??= loadRegistriesConf())

  return {
    candidates: async (shortRepository) => searchNames(shortRepository, await conf()),
    checkPolicy: async (ref) => checkPolicy(ref),
    open: async (options = {}) => new HttpRegistrySource(await conf(), options, { ...DEFAULT_LIMITS, ...limits }),
  }
}
