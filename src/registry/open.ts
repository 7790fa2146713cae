import type { Registries, RegistryAccess, RegistryStore } from "./registry.ts"
import type { Limits } from "./server/limits.ts"
import type { HttpLimits } from "./client/http.ts"
import type { RegistriesConf } from "./client/registries-conf.ts"

/** The registries, by what the host's files say of them; the files are read once, when first needed. Who serves one loads nothing of a client. */
export function openRegistries({ limits = {} }: { limits?: Partial<HttpLimits> } = {}): Registries {
  let loaded: Promise<RegistriesConf> | undefined
  const conf = () =>
    (loaded ??= import("./client/registries-conf.ts").then(({ loadRegistriesConf }) => loadRegistriesConf()))

  const limitsOf = async ({ retries, retryDelayMs }: RegistryAccess): Promise<HttpLimits> => ({
    ...(await import("./client/http.ts")).DEFAULT_LIMITS,
    ...limits,
    ...(retries === undefined ? {} : { attempts: retries + 1 }),
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  })

  const registries: Registries = {
    candidates: async (shortRepository) =>
      (await import("./client/locations.ts")).searchNames(shortRepository, await conf()),
    admission: async (subject) => (await import("./client/policy.ts")).admissionOf(subject),
    signer: async (options) => await (await import("./trust/signer.ts")).openSigner(options),
    sign: async (ref, options) => await (await import("./trust/sign-remote.ts")).signRemote(registries, ref, options),
    makeKeyPair: async (prefix, passphrase) =>
      await (await import("./trust/make-key-pair.ts")).makeKeyPairFiles(prefix, passphrase),
    trust: async () => (await import("./client/trust.ts")).trustedScopes(),
    rawPolicy: async () => (await import("./client/trust.ts")).rawPolicy(),
    setTrust: async (scope, rule) => (await import("./client/trust.ts")).setTrust(scope, rule),
    async open(options = {}) {
      const { HttpRegistrySource } = await import("./client/registry-source.ts")
      return new HttpRegistrySource(await conf(), options, await limitsOf(options))
    },
    async openTarget(ref, options = {}) {
      const { openTarget } = await import("./client/registry-target.ts")
      return openTarget(ref, await conf(), options, await limitsOf(options))
    },
    copy: async (copy) => (await import("./copy-manifest.ts")).copyManifest(copy),
    async serve(store, options) {
      const [{ serve }, { openAccess }] = await Promise.all([
        import("./server/serve.ts"),
        import("./server/open-access.ts"),
      ])
      const { access = {}, collect, limits: storeLimits, metrics = false, webhooks = [], ...listening } = options
      const scheme = options.tls === undefined ? "http" : "https"
      const served = storeLimits === undefined ? store : await limited(store, storeLimits)
      await using started = new AsyncDisposableStack()
      const { observe } = await import("./server/observe.ts")
      let self = ""
      const observed = await observe({ metrics, webhooks, self: () => self })
      for (const webhook of observed.webhooks) started.use(webhook)
      const deps = { store: served, access: await openAccess(access, scheme), ...observed }
      const server = started.use(serve(deps, listening))
      self = server.url
      if (collect !== undefined) {
        const { collectPeriodically } = await import("./server/periodic-collection.ts")
        started.use(collectPeriodically(store, collect))
      }
      const running = started.move()
      return { url: server.url, [Symbol.asyncDispose]: () => running.disposeAsync() }
    },
    async login(registry, options) {
      const { login } = await import("./client/login.ts")
      return await login(registry, await conf(), options, await limitsOf({}))
    },
    async userOf(registry, options) {
      const { findCredentials } = await import("./client/credentials.ts")
      return (await findCredentials(registry, "", options))?.username
    },
    async search(registry, term, options) {
      const { search } = await import("./client/search.ts")
      return await search(registry, term, await conf(), options, await limitsOf(options))
    },
    async repositories(registry, options = {}) {
      const { searchCatalogue } = await import("./client/search.ts")
      const all = { ...options, limit: Number.MAX_SAFE_INTEGER }
      const found = await searchCatalogue(registry, "", await conf(), all, await limitsOf(options))
      return found.map(({ repository }) => repository)
    },
    loggedIn: async (options) => (await import("./client/login.ts")).loggedIn(options),
    logout: async (registry, options) => (await import("./client/login.ts")).logout(registry, options),
  }
  return registries
}

async function limited(store: RegistryStore, limits: Limits): Promise<RegistryStore> {
  const { limitedStore } = await import("./server/limited-store.ts")
  return limitedStore(store, limits)
}
